"""What each value of the config may be, on its own: its type, and the rules for it."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Final

from netaddr import IPAddress, IPNetwork
from pydantic import ValidateAs

from podnet import model, versions
from podnet.addressing import AddressError, Family, parse_address, parse_network, special_use
from podnet.config.problems import shown
from podnet.config.rules import between, matching, never, one_of, prefix_length, rule
from podnet.errors import RefusedError

Provider = Annotated[
    model.MachineProvider,
    one_of(model.MachineProvider, "a provider", f"one of {', '.join(sorted(model.MachineProvider))}"),
]
Role = Annotated[model.Role, one_of(model.Role, "a role", "control-plane or worker")]


def _this_version(version: str) -> str:
    if version != versions.KUBERNETES:
        way = "a stack that runs another goes on with the podnet that made it, and make down takes it away"
        expected = f"{versions.KUBERNETES}, which this podnet brings ({way})"
        raise RefusedError(f"{shown(version)} is not supported", expected)
    return version


KubernetesVersion = Annotated[str, rule(_this_version)]


# Addresses and networks


def _free(network: IPNetwork) -> IPNetwork:
    if special := special_use(network):
        raise RefusedError(f"{network} overlaps {special}", "a range that is free for use, like a part of 10.0.0.0/8")
    return network


Address = Annotated[IPAddress, ValidateAs(str, parse_address)]
_Network = Annotated[IPNetwork, ValidateAs(str, parse_network)]

MachineNetwork = Annotated[_Network, prefix_length({Family.IPV4: (8, 29)}), rule(_free)]
"""A /29 is the smallest network with room for a gateway and two nodes."""

PodSubnet = Annotated[_Network, prefix_length({Family.IPV4: (8, 27)}), rule(_free)]
"""A /27 is the smallest that holds two of the smallest node subnets."""

ServiceSubnet = Annotated[_Network, prefix_length({Family.IPV4: (12, 28)}), rule(_free)]
"""The API server takes no more than 20 bits (maxCIDRBits), kubeadm no fewer than ten addresses
(MinimumAddressesInServiceSubnet)."""

NodePodSubnet = Annotated[_Network, prefix_length({Family.IPV4: (16, 28)})]
"""A /28 has 13 addresses for pods; with fewer, a worker is full with Kubernetes' own."""


# Names

NodeName = Annotated[
    str,
    # An RFC 1123 label, which may have 63 characters; 40 leave room for the names that are derived from it.
    matching(
        r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?",
        "a valid node name",
        "at most 40 small letters, digits and hyphens, with a letter or digit at both ends",
    ),
    # What /etc/hosts of Debian and of others means by these is no node: the loopback address, groups, a broadcast.
    never(r"localhost[46]?|ip6-.*|broadcasthost", "means something else on every machine", "a name of the node's own"),
    # inet_aton(3) reads these as an IPv4 address, and so does every program that takes a name or an address.
    never(r"[0-9]+|0x[0-9a-f]*", "reads as an IPv4 address", "a name with a letter in it, like node1"),
    # It stands between two nodes' names in the name of a route's resource, which would be ambiguous with it in one.
    never(r".*-route-to-.*", "holds -route-to-, as podnet's own names of routes do", "a name without it"),
]

CniNetwork = Annotated[
    str,
    # libcni's rule for a network's name; the length keeps the file name short.
    matching(
        r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}",
        "a valid CNI network name",
        "at most 63 letters, digits, dots, underscores and hyphens, with a letter or digit first",
    ),
]

_INTERFACES: Final = (
    r"lo|eth[0-9]+|en[opsx][0-9a-z]+|wl[0-9a-z]+|bond[0-9]+|veth.*|docker[0-9]+|br-[0-9a-f]{12}"
    r"|(virbr|lxcbr|lxdbr)[0-9]+"
)
"""Names that a machine's own interfaces have, and those that Docker, libvirt, LXC and the bridge plugin give: the
plugin fails on one that is not a bridge, and one that is would go with the pods."""

Bridge = Annotated[
    str,
    # Within the kernel's rule (dev_valid_name: at most 15 bytes, no /, : or white space, neither . nor ..).
    matching(
        r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}",
        "a valid interface name",
        "at most 15 letters, digits, dots, underscores and hyphens, with a letter or digit first",
    ),
    never(
        _INTERFACES,
        "is the name of an interface that machines have already",
        "a name for a new bridge, like cni0",
    ),
]

Mtu = Annotated[int, between(576, 9000, "bytes cannot be the MTU")]
"""Bytes. Every IPv4 host takes 576 (RFC 791, RFC 1122 3.3.2); 9000 is the usual jumbo frame."""


# Images

_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_PART: Final = r"[a-z0-9]+(?:(?:[.]|_{1,2}|-+)[a-z0-9]+)*"
_IMAGE: Final = (
    rf"(?=.{{1,255}}\Z)(?:{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?/)?{_PART}(?:/{_PART})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?:@sha256:[0-9a-f]{64})?"
)
"""The grammar of an image's reference (distribution/reference), with sha256 as the only digest."""

Image = Annotated[
    str,
    matching(_IMAGE, "an image reference", "registry/name:tag or registry/name@sha256:digest"),
    never(r"(.*/)?[^/:@]+", "names no version of the image", "a tag or a digest at its end"),
    never(r"[^@]*:latest", "can be another image tomorrow", "a tag other than latest, or a digest"),
]


# How an existing host is logged in to


def _host(host: str) -> str:
    """Take the name of a host; digits and dots alone must be an IPv4 address."""
    label = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    is_host = re.fullmatch(rf"(?=.{{1,253}}\Z){label}(\.{label})*", host) is not None
    if is_host and re.fullmatch(r"[0-9.]+", host):
        try:
            parse_address(host)
        except AddressError:
            is_host = False
    if not is_host:
        raise RefusedError(f"{shown(host)} is not a host", "a host's name or IPv4 address")
    return host


Host = Annotated[str, rule(_host)]

User = Annotated[
    str,
    # What useradd(8) takes, and dots.
    matching(
        r"[a-z_][a-z0-9_.-]{0,31}",
        "a user's name",
        "at most 32 small letters, digits, dots, underscores and hyphens, with a letter or underscore first",
    ),
]

Port = Annotated[int, between(1, 65535, "is not a port")]

KeyFile = Annotated[
    str,
    # No space, quote or %: the path also stands in an ssh_config, which would read them as its own.
    matching(
        r"~?(/[a-zA-Z0-9_.@+-]+)+",
        "a key's path",
        "an absolute path, or one that begins with ~/, of letters, digits and /._@+-",
    ),
]

_KEY_BYTES: Final = {
    "ssh-ed25519": 51,
    "ecdsa-sha2-nistp256": 104,
    "ecdsa-sha2-nistp384": 136,
    "ecdsa-sha2-nistp521": 172,
}
"""The types of public host keys, and how long each is: its type first, each part after its length (RFC 4253 6.6, RFC
5656 3.1, RFC 8709 4). An RSA key is not among them: Pulumi's command provider asks for it with SHA-1, which no sshd
offers any more."""

HOST_KEY: Final = "its public host key, like the first two words of /etc/ssh/ssh_host_ed25519_key.pub on that host"


def _host_key(text: str) -> str:
    """Take a public key, without its comment."""
    kind, encoded, *_ = [*text.split(maxsplit=2), "", ""]
    if kind == "ssh-rsa":
        raise RefusedError("an RSA key cannot be checked by every plugin that podnet runs with", HOST_KEY)
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES.get(kind) or not key.startswith(len(kind).to_bytes(4) + kind.encode()):
        raise RefusedError(f"{shown(text)} is not a public host key", HOST_KEY)
    return f"{kind} {encoded}"


HostKey = Annotated[str, rule(_host_key)]
