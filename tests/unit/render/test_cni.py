"""The CNI confs: the bytes that a node gets."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from podnet import addressing
from podnet.addressing import Family
from podnet.model import CniOptions
from podnet.planning import NetConf, bridge_address
from podnet.render import cni
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


def conf(text: str = "10.22.2.0/24", family: Family = Family.IPV4) -> NetConf:
    """Give the conf of a node with this pod subnet."""
    subnet = addressing.parse_network(text, family)
    return NetConf("node1", subnet, bridge_address(subnet))


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
    golden(f"cni/{name}.{suffix}", cni.net_conf(conf(), options))


def test_the_literal_conf_is_the_chapters_but_for_two_additions() -> None:
    literal = json.loads(cni.net_conf(conf(), LITERAL))
    assert literal.pop("mtu") == 1500
    assert literal["ipam"].pop("dataDir") == "/run/podnet/ipam"
    # As text: the order of the keys is the chapter's too.
    assert json.dumps(literal) == json.dumps(json.loads(CHAPTER))


def test_the_list_chains_portmap_after_the_single_conf() -> None:
    single = json.loads(cni.net_conf(conf(), replace(DEFAULT, portmap=False)))
    chained = json.loads(cni.net_conf(conf(), DEFAULT))
    assert list(chained) == ["cniVersion", "name", "plugins"]
    bridge, portmap = chained["plugins"]
    assert {"cniVersion": chained["cniVersion"], "name": chained["name"], **bridge} == single
    assert portmap == {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}


def test_the_default_route_is_of_the_subnets_family() -> None:
    document = json.loads(cni.net_conf(conf("fd00:22:2::/64", Family.IPV6), LITERAL))
    assert document["ipam"]["routes"] == [{"dst": "::/0"}]


def test_the_files_name_says_what_is_in_it() -> None:
    assert cni.path(DEFAULT) == "/etc/cni/net.d/10-mynet.conflist"
    assert cni.path(LITERAL) == "/etc/cni/net.d/10-mynet.conf"
    assert cni.path(replace(DEFAULT, network="five")) == "/etc/cni/net.d/10-five.conflist"


def test_a_conf_ends_in_a_newline() -> None:
    assert cni.net_conf(conf(), DEFAULT).endswith("}\n")
