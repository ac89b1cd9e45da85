"""Which images there are, and what is in each.

They carry names of podnet's own (podnet.local/...): kubeadm is told so by its imageRepository, and nobody takes them
for the images that the Kubernetes project publishes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from images.oci import Image, Layer, Layout
from podnet import versions

REPOSITORY: Final = "podnet.local"

DEBIAN_PACKAGES: Final = (
    "iptables", "nftables", "conntrack", "kmod", "iproute2", "iputils-ping", "curl", "ca-certificates",
    "nginx-light", "python3-minimal", "libpython3-stdlib", "bind9-dnsutils", "netcat-openbsd", "procps", "catatonit",
)  # fmt: skip
"""One Debian layer under kube-proxy, nginx, the probe and the test images: unpacked once, shared by all."""

_KUBERNETES: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")

_NGINX_CONF: Final = b"""\
# Runs as www-data on a read-only root: everything it writes goes to /tmp, the logs to the container's streams.
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 512; }
http {
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    include /etc/nginx/mime.types;
    # The client's address comes first: it is what a routed pod network is about.
    log_format clients '$remote_addr - - [$time_local] "$request" $status $body_bytes_sent';
    access_log /dev/stdout clients;
    server { listen 80; root /usr/share/nginx/html; }
}
"""


def reference(name: str, tag: str) -> str:
    """The full reference of one of podnet's own images."""
    return f"{REPOSITORY}/{name}:{tag}"


def write_archive(archive: Path, debian: Path, binary: Callable[[str], Path]) -> None:
    """Write every image of a node into one OCI archive.

    debian: the tar of a Debian root with DEBIAN_PACKAGES. binary: where a program of the toolchain lies.
    """
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        layout = Layout(Path(folder) / "layout")
        base = layout.layer_of_tar(debian)
        for image in _images(layout, base, binary):
            layout.add(image)
        layout.finish(archive)


def _images(layout: Layout, base: Layer, binary: Callable[[str], Path]) -> list[Image]:
    kubernetes = f"v{versions.KUBERNETES}"

    def program(name: str) -> Layer:
        return layout.layer_of_files({f"/usr/local/bin/{name}": binary(name)})

    # Where the published image has it, which Kubernetes' own DNS tests count on; agnhost's image shares the layer.
    coredns = layout.layer_of_files({"/coredns": binary("coredns")})
    path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    images = [
        Image(reference(name, kubernetes), [program(name)], [f"/usr/local/bin/{name}"], env=path)
        for name in _KUBERNETES
    ]
    etcd = layout.layer_of_files({f"/usr/local/bin/{name}": binary(name) for name in ("etcd", "etcdctl")})
    nginx = layout.layer_of_files({"/etc/nginx/nginx.conf": _NGINX_CONF}, {"/etc/nginx/nginx.conf": 0o644})
    proxy = reference("kube-proxy", kubernetes)
    images += [
        Image(proxy, [base, program("kube-proxy")], ["/usr/local/bin/kube-proxy"], env=path),
        Image(reference("etcd", f"{versions.ETCD}-0"), [etcd], ["/usr/local/bin/etcd"], env=path),
        Image(reference("coredns", f"v{versions.COREDNS}"), [coredns], ["/coredns"], env=path),
        # catatonit is an init that does nothing and reaps: what a pause container is for.
        Image(reference("pause", versions.PAUSE), [base], ["/usr/bin/catatonit", "-P"], env=path, user="65535:65535"),
        Image(reference("nginx", versions.NGINX), [base, nginx], ["/usr/sbin/nginx", "-g", "daemon off;"], env=path),
        Image(reference("probe", versions.PROBE), [base], ["/usr/bin/python3"], env=path, user="65534:65534"),
        # The two that Kubernetes' own network tests run (`e2e.test --list-images` says which they want).
        Image(
            reference("agnhost", versions.AGNHOST),
            [base, coredns, _agnhost(layout, binary)],
            ["/agnhost"],
            ["pause"],
            env=path,
        ),
        Image(reference("glibc-dns-testing", versions.DNS_TESTING), [base], [], ["/bin/bash"], env=path),
    ]
    return images


def _agnhost(layout: Layout, binary: Callable[[str], Path]) -> Layer:
    program = binary("agnhost")
    shared = program.parents[1] / "share"
    plain: dict[str, Path | bytes] = {
        # agnhost serves TLS with these; porter's tests look for them in the root.
        "/localhost.crt": shared / "localhost.crt",
        "/localhost.key": shared / "localhost.key",
        # netexec keeps what is sent to it here; an empty folder cannot be stored as a file.
        "/uploads/keep": b"",
    }
    return layout.layer_of_files({"/agnhost": program, **plain}, dict.fromkeys(plain, 0o644))
