"""Checks of everything that is no address: the stack's name, the provider, the version, CNI and the images."""

from __future__ import annotations

import re
from typing import Final

from podnet import versions
from podnet.config.findings import Findings, place, shown
from podnet.config.shape import ClusterShape, CniShape
from podnet.model import Images, MachineProvider
from podnet.node.spec import CniOptions

_STACK: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")

_NETWORK: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}")
"""libcni's rule for a network's name; the length keeps the file name short."""

_BRIDGE: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}")
"""Within the kernel's rule (dev_valid_name: at most 15 bytes, no /, : or white space, neither . nor ..)."""

_TAKEN_INTERFACE: Final = re.compile(
    r"lo|eth[0-9]+|en[opsx][0-9a-z]+|wl[0-9a-z]+|bond[0-9]+|veth.*|docker[0-9]+|br-[0-9a-f]{12}|(virbr|lxcbr|lxdbr)[0-9]+"
)
"""Names that a machine's own interfaces have, and those that Docker, libvirt, LXC and the bridge plugin give: the
plugin fails on one that is not a bridge, and one that is would go with the pods."""

_MTU: Final = (576, 9000)
"""Bytes. Every IPv4 host takes 576 (RFC 791, RFC 1122 3.3.2); 9000 is the usual jumbo frame."""

_IMAGE_LONGEST: Final = 255

_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST: Final = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?"
_PART: Final = r"[a-z0-9]+(?:(?:[.]|_{1,2}|-+)[a-z0-9]+)*"
_IMAGE: Final = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*))?(?P<digest>@sha256:[0-9a-f]{{64}})?"
)
"""The grammar of an image's reference (distribution/reference), with sha256 as the only digest."""


def check(stack: str, written: ClusterShape, findings: Findings) -> None:
    """Check the stack's name and every value that is no address."""
    if not _STACK.fullmatch(stack):
        rule = "at most 30 small letters, digits and hyphens, with a letter or digit at both ends"
        findings.refuse("stack", f"{shown(stack)} is not a valid stack name", rule)
    if written.provider not in set(MachineProvider):
        names = ", ".join(sorted(MachineProvider))
        findings.add(place("provider"), f"{shown(written.provider)} is not a provider", f"one of {names}")
    if written.kubernetes_version != versions.KUBERNETES:
        found = f"{shown(written.kubernetes_version)} is not supported"
        way = "a stack that runs another goes on with the podnet that made it, and make down takes it away"
        findings.add(place("kubernetesVersion"), found, f"{versions.KUBERNETES}, which this podnet brings ({way})")
    _check_cni(written.cni, findings)
    _check_image("nginx", written.images.nginx, findings)
    _check_image("probe", written.images.probe, findings)


def provider(written: ClusterShape) -> MachineProvider:
    """Give the provider of a config without problems."""
    return MachineProvider(written.provider)


def cni(written: ClusterShape) -> CniOptions:
    """Give the CNI options of a config without problems."""
    return CniOptions(**dict(written.cni))


def images(written: ClusterShape) -> Images:
    """Give the images of a config without problems."""
    return Images(**dict(written.images))


def _check_cni(written: CniShape, findings: Findings) -> None:
    if not _NETWORK.fullmatch(written.network):
        rule = "at most 63 letters, digits, dots, underscores and hyphens, with a letter or digit first"
        findings.add(place("cni", "network"), f"{shown(written.network)} is not a valid CNI network name", rule)
    if not _BRIDGE.fullmatch(written.bridge):
        rule = "at most 15 letters, digits, dots, underscores and hyphens, with a letter or digit first"
        findings.add(place("cni", "bridge"), f"{shown(written.bridge)} is not a valid interface name", rule)
    elif _TAKEN_INTERFACE.fullmatch(written.bridge):
        found = f"{shown(written.bridge)} is the name of an interface that machines have already"
        findings.add(place("cni", "bridge"), found, "a name for a new bridge, like cni0")
    least, most = _MTU
    if not least <= written.mtu <= most:
        found = f"{shown(written.mtu)} bytes cannot be the MTU"
        findings.add(place("cni", "mtu"), found, f"a number from {least} to {most}")


def _check_image(key: str, reference: str, findings: Findings) -> None:
    where = place("images", key)
    match = _IMAGE.fullmatch(reference) if len(reference) <= _IMAGE_LONGEST else None
    if match is None:
        expected = "registry/name:tag or registry/name@sha256:digest"
        findings.add(where, f"{shown(reference)} is not an image reference", expected)
    elif match["digest"] is None and match["tag"] is None:
        findings.add(where, f"{shown(reference)} names no version of the image", "a tag or a digest at its end")
    elif match["digest"] is None and match["tag"] == "latest":
        found = f"{shown(reference)} can be another image tomorrow"
        findings.add(where, found, "a tag other than latest, or a digest")
