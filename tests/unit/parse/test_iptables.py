"""iptables-save's output, as printed by iptables 1.8.9 on real hosts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podnet.errors import PodnetError
from podnet.parse import iptables
from podnet.parse.netfilter import Effect, NewMark, Rule

from .words import described

CAPTURED = Path(__file__).parents[2] / "captured"


def rule(line: str) -> Rule:
    table = iptables.tables(f"*nat\n:POSTROUTING ACCEPT [0:0]\n:OTHER - [0:0]\n{line}\nCOMMIT\n", "iptables-nft")[0]
    return table.chains["POSTROUTING"].rules[0]


def conditions(options: str) -> list[str]:
    return [described(each) for each in rule(f"-A POSTROUTING {options} -j ACCEPT").conditions]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-s 10.22.2.2/32 ! -d 224.0.0.0/4", ["source 10.22.2.2/32", "! destination 224.0.0.0/4"]),
        ("-i cni0 ! -o veth+", ["source cni0", "! destination veth*"]),
        ("-m addrtype --dst-type LOCAL,BROADCAST", ["destination BROADCAST LOCAL"]),
        ("-m conntrack ! --ctstate RELATED,ESTABLISHED", ["! ESTABLISHED RELATED"]),
        ("-m mark ! --mark 0x4000/0x4000", ["! 0x4000/0x4000"]),
        ("-m mark --mark 0x1", ["0x1/0xffffffff"]),
        ("-m connmark --mark 0x80/0x80", ["? --mark 0x80/0x80"]),
        ("-m comment --comment \"-s 10.0.0.0/8 \\\"x\\\" it's\" -d 10.22.0.0/16", ["destination 10.22.0.0/16"]),
        ("-m comment --comment -j", []),
        ("-m nfacct --nfacct-name  ct_state_invalid_dropped_pkts", []),
        ("-p tcp -m tcp --dport 80 --tcp-flags SYN,RST SYN",
         ["? -p tcp", "? --dport 80", "? --tcp-flags SYN,RST SYN"]),
        ("-m set ! --match-set blocked src,dst", ["? ! --match-set blocked src,dst"]),
        ("-m statistic --mode random --probability 0.50000000000",
         ["? --mode random", "? --probability 0.50000000000"]),
    ],
)  # fmt: skip
def test_conditions(options: str, expected: list[str]) -> None:
    assert conditions(options) == expected


@pytest.mark.parametrize(
    ("target", "effect"),
    [
        ("MASQUERADE --random-fully", Effect.TRANSLATE),
        ("DNAT --to-destination 10.22.2.2:80", Effect.TRANSLATE),
        ("REJECT --reject-with icmp-port-unreachable", Effect.DROP),
        ("NFQUEUE --queue-num 0", Effect.DROP),
        ('LOG --log-prefix "x "', Effect.NONE),
        ("OTHER", Effect.JUMP),
        ("RETURN", Effect.RETURN),
    ],
)
def test_targets(target: str, effect: Effect) -> None:
    found = rule(f"-A POSTROUTING -j {target}")
    assert found.effect is effect
    assert found.chain == ("OTHER" if effect is Effect.JUMP else "")


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        ("--set-xmark 0x4000/0x4000", 0x1, 0x4001),
        ("--set-xmark 0x4000/0x0", 0x4001, 0x1),
        ("--set-xmark 0x0/0x0", 0x7, 0x7),
        ("--and-mark 0xfffffffe", 0x3, 0x2),
        ("--or-mark 0x8", 0x1, 0x9),
        ("--xor-mark 0x1", 0x1, 0x0),
        ("--set-mark 0x2/0xf", 0x31, 0x32),
    ],
)
def test_marks(options: str, before: int, after: int) -> None:
    new = rule(f"-A POSTROUTING -j MARK {options}").mark
    assert (before & ~new.mask & 0xFFFFFFFF) ^ new.value == after


def test_a_mark_that_is_not_understood() -> None:
    assert rule("-A POSTROUTING -j MARK --new-way 1").mark == NewMark(unknown=True)


def test_a_whole_node() -> None:
    text = json.loads((CAPTURED / "node1.json").read_text())["programs"]["iptables-nft"]["output"]
    tables = {table.name: table for table in iptables.tables(text, "iptables-nft")}
    assert set(tables) == {"mangle", "filter", "nat"}
    assert tables["filter"].chains["FORWARD"].hook == "forward"
    assert tables["nat"].chains["KUBE-MARK-MASQ"].hook == ""
    assert "POSTROUTING" in tables["nat"].nat_chains
    assert tables["filter"].nat_chains == frozenset()
    lines = [line for line in text.splitlines() if line.startswith("-A")]
    read = [each.text for table in tables.values() for chain in table.chains.values() for each in chain.rules]
    assert sorted(read) == sorted(lines)


def test_counters_come_before_a_rule() -> None:
    assert rule("[5:300] -A POSTROUTING -j MASQUERADE").text == "-A POSTROUTING -j MASQUERADE"


@pytest.mark.parametrize(
    "text",
    [
        "*nat\n:POSTROUTING ACCEPT [0:0]\n",
        "-A POSTROUTING -j ACCEPT\n",
        "*nat\nsomething\nCOMMIT\n",
        "*nat\n-A NOWHERE -j ACCEPT\nCOMMIT\n",
        "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -s nobody -j ACCEPT\nCOMMIT\n",
        "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -m mark --mark x -j ACCEPT\nCOMMIT\n",
        '*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -m comment --comment "x\nCOMMIT\n',
        "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j\nCOMMIT\n",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(PodnetError):
        iptables.tables(text, "iptables-nft")


def test_nothing_is_no_table() -> None:
    assert iptables.tables("", "iptables-nft") == ()
    incompatible = "# Table `nat' is incompatible, use 'nft' tool.\n"
    assert iptables.tables(incompatible, "iptables-nft") == ()
