"""The policy pack on any text: what it cannot read it says, and never breaks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podnet_policy import commands, snat
from podnet_policy.resource import Resource

WORDS = [
    "table ip x {", "chain y {", "set s {", "elements = {", "}", "{", "add rule x y", "insert rule x y index 1",
    "define", "ip saddr", "ip daddr", "!=", "@s", "10.22.0.0/16", "10.0.0.1-10.0.0.9", "fd00::/8", "masquerade",
    "snat to 10.0.0.1", "return", "jump y", "goto z", "type nat hook postrouting priority 0;", "$x", "=", ",", ";",
    ".", "-", "meta nfproto", "*nat", "COMMIT", "-A POSTROUTING", "-I POSTROUTING 1", "-s", "-d", "!",
    "-j MASQUERADE", "-j RETURN", "--jump", "-j", "iptables -t nat", "ip6tables", "nft", "-f -", "sudo", "sh -c",
    "echo", "printf", "exit", "true", "if", "rm x", "env", "'", '"', "\\", "`", "$(", "(", ")", "<<E", "<<-'E'", "E",
    "<<<", ">", "2>&1", "&&", "||", "|", "&", "#", "\n", "\t", '{"ipMasq": true}', '{"nftables": [',
    '{"rule": {"expr": [{"masquerade": null}]}}', "]}", "---\nkind: x\n", "é",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=30).map(" ".join)
POD_CONF = Resource("urn::conf", "x", {"stdin": '{"cniVersion": "1.0.0", "ipam": {"subnet": "10.22.1.0/24"}}'})


@given(TEXTS, TEXTS)
def test_any_text_is_judged(create: str, stdin: str) -> None:
    resource = Resource("urn::it", "command:remote:Command", {"create": create, "stdin": stdin, "delete": stdin})
    for problem in [*snat.check(resource), *commands.check(resource)]:
        assert problem
    snat.check_stack([POD_CONF, resource])


@given(st.lists(st.sampled_from(["true", ":", "echo a", "sudo -n true", "exit 0"]), min_size=1), st.data())
def test_no_ops_are_no_ops_however_they_are_joined(lines: list[str], data: st.DataObject) -> None:
    joined = lines[0]
    for line in lines[1:]:
        joined += data.draw(st.sampled_from([" && ", " || ", "; ", "\n", " | "])) + line
    assert commands.does_nothing(joined)
