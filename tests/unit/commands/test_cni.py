"""The CNI confs: the bytes that a node gets."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from podnet.node import cni
from podnet.node.spec import CniOptions
from tests.conftest import Golden

DEFAULT = CniOptions("mynet", "cni0", 1500, ip_masq=False, hairpin_mode=True, portmap=True)
LITERAL = replace(DEFAULT, ip_masq=True, hairpin_mode=False, portmap=False)

CHAPTER = """{
    "cniVersion": "0.3.1",
    "name": "mynet",
    "type": "bridge",
    "bridge": "cni0",
    "isGateway": true,
    "ipMasq": true,
    "ipam": {
        "type": "host-local",
        "subnet": "10.22.2.0/24",
        "routes": [
            { "dst": "0.0.0.0/0" }
        ]
    }
}"""


def conf(options: CniOptions, *subnets: str) -> str:
    """Give the conf of a node with these pod subnets."""
    return cni.conf(options, subnets or ("10.22.2.0/24",))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("default", DEFAULT),
        ("literal", LITERAL),
        ("single-plugin", replace(DEFAULT, portmap=False)),
        ("no-hairpin", replace(DEFAULT, hairpin_mode=False)),
        ("other-names", replace(DEFAULT, network="five", bridge="cni5", mtu=8950)),
    ],
)
def test_confs(golden: Golden, name: str, options: CniOptions) -> None:
    suffix = cni.path(options).rpartition(".")[2]
    golden(f"cni/{name}.{suffix}", conf(options))


def test_the_literal_conf_is_the_chapters_but_for_two_additions() -> None:
    literal = json.loads(conf(LITERAL))
    assert literal.pop("mtu") == 1500
    assert literal["ipam"].pop("dataDir") == "/run/podnet/ipam"
    # As text: the order of the keys is the chapter's too.
    assert json.dumps(literal) == json.dumps(json.loads(CHAPTER))


def test_the_list_chains_portmap_after_the_single_conf() -> None:
    single = json.loads(conf(replace(DEFAULT, portmap=False)))
    chained = json.loads(conf(DEFAULT))
    assert list(chained) == ["cniVersion", "name", "plugins"]
    bridge, portmap = chained["plugins"]
    assert {"cniVersion": chained["cniVersion"], "name": chained["name"], **bridge} == single
    assert portmap == {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}


def test_the_default_route_is_of_the_subnets_family() -> None:
    document = json.loads(conf(LITERAL, "fd00:22:2::/64"))
    assert document["ipam"]["routes"] == [{"dst": "::/0"}]


def test_two_families_are_two_ranges() -> None:
    document = json.loads(conf(LITERAL, "10.22.2.0/24", "fd00:22:2::/64"))
    assert document["ipam"]["ranges"] == [[{"subnet": "10.22.2.0/24"}], [{"subnet": "fd00:22:2::/64"}]]
    assert document["ipam"]["routes"] == [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
    assert "subnet" not in document["ipam"]


def test_the_files_name_says_what_is_in_it() -> None:
    assert cni.path(DEFAULT) == "/etc/cni/net.d/10-mynet.conflist"
    assert cni.path(LITERAL) == "/etc/cni/net.d/10-mynet.conf"
    assert cni.path(replace(DEFAULT, network="five")) == "/etc/cni/net.d/10-five.conflist"


def test_a_conf_ends_in_a_newline() -> None:
    assert conf(DEFAULT).endswith("}\n")
