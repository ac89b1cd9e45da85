"""Rulesets of the packet filter, each with what it does to packets between the pods of two nodes.

The policy pack reads them (tests/unit/policy), and a kernel carries them out (tests/integration): the pack has to say
what the kernel does. The pods are in 10.22.1.0/24, behind cni0, and in 10.22.2.0/24, behind eth0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

PODS = ("10.22.1.0/24", "10.22.2.0/24")


@dataclass(frozen=True)
class Case:
    """A text, how it is brought to the kernel, and whether pods then see another address than the pod's own.

    how: `nft -f -` and `iptables-restore` get the text on standard input; `sh` runs it.
    """

    name: str
    how: str
    text: str
    hidden: bool


def nft(rule: str, *more: str, family: str = "ip ") -> str:
    before = "".join(f"  {each}\n" for each in more)
    head = "    type nat hook postrouting priority srcnat; policy accept;\n"
    return f"table {family}x {{\n{before}  chain post {{\n{head}    {rule}\n  }}\n}}\n"


def restore(*rules: str) -> str:
    return "*nat\n:POSTROUTING ACCEPT [0:0]\n" + "".join(f"{rule}\n" for rule in rules) + "COMMIT\n"


def nft_json(*expressions: dict[str, Any], commands: bool = True) -> str:
    table = {"table": {"family": "ip", "name": "x"}}
    hook = {"type": "nat", "hook": "postrouting", "prio": 100}
    chain = {"chain": {"family": "ip", "table": "x", "name": "post", **hook}}
    rule = {"rule": {"family": "ip", "table": "x", "chain": "post", "expr": list(expressions)}}
    return json.dumps({"nftables": [{"add": each} if commands else each for each in (table, chain, rule)]})


def destination(right: Any, operator: str = "!=") -> dict[str, Any]:
    return {"match": {"op": operator, "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": right}}


PREFIX = {"prefix": {"addr": "10.22.0.0", "len": 16}}
SET = "set pods { type ipv4_addr; flags interval; elements = { 10.22.1.0/24, 10.22.2.0/24 } }"
IPT = "iptables -t nat"

CASES = [
    # nft
    Case("nft, all of it", "nft -f -", nft("masquerade"), hidden=True),
    Case("nft, the default family", "nft -f -", nft("masquerade", family=""), hidden=True),
    Case(
        "nft, the default family, spared",
        "nft -f -",
        nft("ip daddr != 10.22.0.0/16 masquerade", family=""),
        hidden=False,
    ),
    Case("nft, inet", "nft -f -", nft("masquerade", family="inet "), hidden=True),
    Case("nft, inet, asks for IPv6", "nft -f -", nft("meta nfproto ipv6 masquerade", family="inet "), hidden=False),
    Case("nft, ip6", "nft -f -", nft("masquerade", family="ip6 "), hidden=False),
    Case("nft, spares loopback", "nft -f -", nft("ip daddr != 127.0.0.1 masquerade"), hidden=True),
    Case("nft, spares one node's pods", "nft -f -", nft("ip daddr != 10.22.2.0/24 masquerade"), hidden=True),
    Case("nft, spares by a set", "nft -f -", nft("ip daddr != @pods masquerade", SET), hidden=False),
    Case(
        "nft, spares by an empty set",
        "nft -f -",
        nft("ip daddr != @pods masquerade", "set pods { type ipv4_addr; }"),
        hidden=True,
    ),
    Case("nft, a set that asks for pods", "nft -f -", nft("ip daddr @pods masquerade", SET), hidden=True),
    Case(
        "nft, spares by a list",
        "nft -f -",
        nft("ip daddr != { 10.22.1.0/24,\n 10.22.2.0/24 } masquerade"),
        hidden=False,
    ),
    Case("nft, spares a range", "nft -f -", nft("ip daddr != 10.22.0.0-10.22.255.255 masquerade"), hidden=False),
    Case("nft, spares too short a range", "nft -f -", nft("ip daddr != 10.22.0.0-10.22.1.255 masquerade"), hidden=True),
    Case(
        "nft, a variable",
        "nft -f -",
        "define pods = { 10.22.0.0/16 }\n" + nft("ip daddr != $pods masquerade"),
        hidden=False,
    ),
    Case(
        "nft, a variable of other addresses",
        "nft -f -",
        "define pods = 10.9.0.0/16\n" + nft("ip daddr != $pods masquerade"),
        hidden=True,
    ),
    Case("nft, one source", "nft -f -", nft("ip saddr 10.22.1.0/24 oifname eth0 masquerade"), hidden=True),
    Case("nft, a source that no pod has", "nft -f -", nft("ip saddr 172.17.0.0/16 masquerade"), hidden=False),
    Case("nft, a destination that no pod has", "nft -f -", nft("ip daddr 192.0.2.0/24 masquerade"), hidden=False),
    Case("nft, all sources but the pods", "nft -f -", nft("ip saddr != 10.22.0.0/16 masquerade"), hidden=False),
    Case("nft, snat", "nft -f -", nft("oifname eth0 snat to 10.22.2.1"), hidden=True),
    Case("nft, returns before", "nft -f -", nft("ip daddr @pods counter return; masquerade", SET), hidden=False),
    Case("nft, returns too late", "nft -f -", nft("masquerade; ip daddr @pods return", SET), hidden=True),
    Case(
        "nft, returns for one protocol",
        "nft -f -",
        nft("ip daddr @pods tcp dport 1 return; masquerade", SET),
        hidden=True,
    ),
    Case(
        "nft, returns in a chain of its own",
        "nft -f -",
        nft("jump spare; masquerade", SET, "chain spare { ip daddr @pods return; }"),
        hidden=True,
    ),
    Case(
        "nft, accepts in a chain of its own",
        "nft -f -",
        nft("jump spare; masquerade", SET, "chain spare { ip daddr @pods accept; }"),
        hidden=False,
    ),
    Case(
        "nft, goes where it is masqueraded",
        "nft -f -",
        nft("ip daddr @pods goto hide", SET, "chain hide { masquerade; }"),
        hidden=True,
    ),
    Case(
        "nft, goes there for others",
        "nft -f -",
        nft("ip daddr != @pods goto hide", SET, "chain hide { masquerade; }"),
        hidden=False,
    ),
    Case(
        "nft, the source is rewritten",
        "nft -f -",
        "table ip x { chain p { type filter hook postrouting priority 0; ip saddr set 10.22.9.9; }; }\n",
        hidden=True,
    ),
    Case(
        "nft, names and remarks",
        "nft -f -",
        nft('counter comment "masquerade; snat"', "chain masquerading { }", "chain snatting { jump masquerading; }"),
        hidden=False,
    ),
    Case(
        "nft, one command a line",
        "nft -f -",
        "add table x\nadd chain x p { type nat hook postrouting priority 100; }\nadd rule x p masquerade\n",
        hidden=True,
    ),
    Case(
        "nft, without the word rule",
        "nft -f -",
        "add table x\nadd chain x p { type nat hook postrouting priority 100; }\nadd x p masquerade\n",
        hidden=True,
    ),
    Case(
        "nft, inserted before",
        "nft -f -",
        "table x { chain p { type nat hook postrouting priority 100; masquerade; }; }\n"
        "insert rule x p ip daddr 10.22.0.0/16 return\n",
        hidden=False,
    ),
    Case(
        "nft, elements added later",
        "nft -f -",
        nft("ip daddr != @pods masquerade", "set pods { type ipv4_addr; flags interval; }")
        + "add element ip x pods { 10.22.0.0/16 }\n",
        hidden=False,
    ),
    Case(
        "nft, a set of two fields",
        "nft -f -",
        nft("ip saddr . ip daddr { 10.22.1.0/24 . 10.22.2.0/24 } masquerade"),
        hidden=True,
    ),
    Case("nft, from a file's first line", "nft -f -", "#!/usr/sbin/nft -f\n# NAT\n" + nft("masquerade"), hidden=True),
    # JSON of nft
    Case("nft in JSON", "nft -j -f -", nft_json({"masquerade": None}), hidden=True),
    Case("nft in JSON, as it is listed", "nft -j -f -", nft_json({"masquerade": None}, commands=False), hidden=True),
    Case(
        "nft in JSON, spares loopback",
        "nft -j -f -",
        nft_json(destination("127.0.0.1"), {"masquerade": None}),
        hidden=True,
    ),
    Case("nft in JSON, spared", "nft -j -f -", nft_json(destination(PREFIX), {"masquerade": None}), hidden=False),
    Case(
        "nft in JSON, spared by a list",
        "nft -j -f -",
        nft_json(destination({"set": [PREFIX]}), {"masquerade": None}),
        hidden=False,
    ),
    Case(
        "nft in JSON, escaped", "nft -j -f -", nft_json({"masquerade": None}).replace("masq", "m\\u0061sq"), hidden=True
    ),
    # iptables-restore
    Case("restore, all of it", "iptables-restore", restore("-A POSTROUTING -j MASQUERADE"), hidden=True),
    Case("restore, counted", "iptables-restore --counters", restore("[0:0] -A POSTROUTING -j MASQUERADE"), hidden=True),
    Case(
        "restore, spared", "iptables-restore", restore("-A POSTROUTING ! -d 10.22.0.0/16 -j MASQUERADE"), hidden=False
    ),
    Case(
        "restore, spares loopback",
        "iptables-restore",
        restore("-A POSTROUTING ! -d 127.0.0.1/32 -j MASQUERADE"),
        hidden=True,
    ),
    Case(
        "restore, one source", "iptables-restore", restore("-A POSTROUTING -s 10.22.1.0/24 -j MASQUERADE"), hidden=True
    ),
    Case(
        "restore, a source that no pod has",
        "iptables-restore",
        restore("-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE"),
        hidden=False,
    ),
    Case(
        "restore, returns before",
        "iptables-restore",
        restore("-A POSTROUTING -d 10.22.0.0/16 -j RETURN", "-A POSTROUTING -j MASQUERADE"),
        hidden=False,
    ),
    Case(
        "restore, returns after",
        "iptables-restore",
        restore("-A POSTROUTING -j MASQUERADE", "-A POSTROUTING -d 10.22.0.0/16 -j RETURN"),
        hidden=True,
    ),
    Case(
        "restore, in a chain of its own",
        "iptables-restore",
        restore(":HIDE - [0:0]", "-A POSTROUTING -s 10.22.0.0/16 -j HIDE", "-A HIDE -d 10.22.2.0/24 -j MASQUERADE"),
        hidden=True,
    ),
    Case(
        "restore, a remark with options in it",
        "iptables-restore",
        restore('-A POSTROUTING -m comment --comment "! -d 10.22.0.0/16 -j ACCEPT" -j MASQUERADE'),
        hidden=True,
    ),
    # iptables
    Case("iptables, all of it", "sh", f"{IPT} -A POSTROUTING -j MASQUERADE\n", hidden=True),
    Case("iptables, in one word", "sh", "iptables -tnat -APOSTROUTING -j MASQUERADE\n", hidden=True),
    Case("iptables, long options", "sh", "iptables --table=nat --append=POSTROUTING --jump MASQUERADE\n", hidden=True),
    Case(
        "iptables, shortened options",
        "sh",
        "iptables --tab nat --app POSTROUTING ! --dest 10.22.0.0/16 --ju MASQUERADE\n",
        hidden=False,
    ),
    Case("iptables, spares loopback", "sh", f"{IPT} -A POSTROUTING ! -d 127.0.0.1 -j MASQUERADE\n", hidden=True),
    Case("iptables, spared", "sh", f"{IPT} -A POSTROUTING ! -d 10.22.0.0/16 -j MASQUERADE\n", hidden=False),
    Case(
        "iptables, spared by a dotted mask",
        "sh",
        f"{IPT} -A POSTROUTING ! -d 10.22.0.0/255.255.0.0 -j MASQUERADE\n",
        hidden=False,
    ),
    Case(
        "iptables, a destination that no pod has",
        "sh",
        f"{IPT} -A POSTROUTING -d 192.0.2.0/24 -j MASQUERADE\n",
        hidden=False,
    ),
    Case("iptables, snat", "sh", f"{IPT} -A POSTROUTING -o eth0 -j SNAT --to-source 10.22.2.1\n", hidden=True),
    Case("iptables, netmap", "sh", f"{IPT} -A POSTROUTING -s 10.22.1.0/24 -j NETMAP --to 10.9.0.0/24\n", hidden=True),
    Case(
        "iptables, inserted before",
        "sh",
        f"{IPT} -A POSTROUTING -j MASQUERADE && {IPT} -I POSTROUTING -d 10.22.0.0/16 -j RETURN\n",
        hidden=False,
    ),
    Case(
        "iptables, one after another",
        "sh",
        f"{IPT} -A POSTROUTING -d 10.22.0.0/16 -j ACCEPT\n{IPT} -A POSTROUTING -j MASQUERADE\n",
        hidden=False,
    ),
    Case(
        "iptables, if it is not there",
        "sh",
        f"{IPT} -C POSTROUTING -j MASQUERADE 2> /dev/null ||\n    {IPT} \\\n        -A POSTROUTING -j MASQUERADE\n",
        hidden=True,
    ),
    Case("iptables, taken away", "sh", f"{IPT} -D POSTROUTING -j MASQUERADE 2> /dev/null || true\n", hidden=False),
    Case(
        "iptables, a range of its match",
        "sh",
        f"{IPT} -A POSTROUTING -m iprange ! --dst-range 10.22.0.0-10.22.255.255 -j MASQUERADE\n",
        hidden=False,
    ),
    Case("iptables, for IPv6", "sh", "ip6tables -t nat -A POSTROUTING ! -d fd00::/8 -j MASQUERADE\n", hidden=False),
    Case("iptables, by a variable", "sh", "IPT='iptables -w'\n$IPT -t nat -A POSTROUTING -j MASQUERADE\n", hidden=True),
    Case(
        "iptables, by a function",
        "sh",
        'run() { iptables -w -t nat "$@"; }\nrun -A POSTROUTING -j MASQUERADE\n',
        hidden=True,
    ),
    # in a script
    Case(
        "a script with a here-document for nft",
        "sh",
        "set -eu\nnft -f - <<'END'\n" + nft("masquerade") + "END\n",
        hidden=True,
    ),
    Case(
        "a script with a spared one",
        "sh",
        "set -eu\nnft -f - <<'END'\n" + nft("ip daddr != @pods masquerade", SET) + "END\n",
        hidden=False,
    ),
    Case(
        "a script with rules that are printed",
        "sh",
        "printf '*nat\\n-A POSTROUTING -j MASQUERADE\\nCOMMIT\\n' | iptables-restore\n",
        hidden=True,
    ),
    Case(
        "a script that prints line by line",
        "sh",
        "{ echo '*nat'; echo '-A POSTROUTING -j MASQUERADE'; echo COMMIT; } | iptables-restore\n",
        hidden=True,
    ),
    Case("a script in a script", "sh", f"sh -c '{IPT} -A POSTROUTING -j MASQUERADE'\n", hidden=True),
    Case(
        "a script that calls nft",
        "sh",
        "nft add table x\nnft add chain x p '{ type nat hook postrouting priority 100; }'\n"
        "nft add rule x p oifname eth0 masquerade\n",
        hidden=True,
    ),
    Case(
        "a script that quotes for nft",
        "sh",
        'nft "table x { chain p { type nat hook postrouting priority 100; masquerade; }; }"\n',
        hidden=True,
    ),
    Case(
        "a script that asks whether it is there",
        "sh",
        "nft list ruleset | grep -q masquerade || echo no\n"
        "iptables-save | grep -q -- '-A POSTROUTING -j MASQUERADE' || :\n",
        hidden=False,
    ),
]
