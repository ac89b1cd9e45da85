"""How a page is read, and that what it shows is compared strictly enough to be worth it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.page import (
    Comparison,
    FailedStepError,
    Step,
    differences,
    follow,
    in_networks,
    rewritten,
    script,
    steps,
)

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "how-a-packet-travels.md"

SMALL = """\
# A page

```sh
NAME=reader
echo "hello $NAME"
```

```text
hello reader
```

Some words, and a conf:

```yaml
a: 1
```

```sh
echo again $NAME
```
"""


def compare(shown: str, real: str) -> list[str]:
    return Comparison("10.22.", "10.96.").step(shown, real)


def test_a_page_is_read() -> None:
    assert steps(SMALL) == [
        Step(4, 'NAME=reader\necho "hello $NAME"\n', "hello reader\n"),
        Step(19, "echo again $NAME\n", None),
    ]


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ("```text\nhello\n```\n", "line 1: an output without its commands"),
        ("```sh\necho\n```\nprints\n```text\n\n```\n", "line 5: an output without its commands"),
        ("```sh\necho\n```\n```text\n\n```\n```text\n\n```\n", "line 7: an output without its commands"),
        ("words\n```sh\necho\n", "line 2: a block without an end"),
    ],
)
def test_an_output_that_nobody_would_check_is_refused(page: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        steps(page)


def test_a_page_is_followed_in_one_shell(tmp_path: Path) -> None:
    outputs = follow(SMALL, os.environ, tmp_path)
    assert outputs == ["hello reader\n", "again reader\n"]
    assert differences(SMALL, outputs, Comparison("10.22.", "10.96.")) == ""
    told = differences(SMALL.replace("hello reader", "hello writer"), outputs, Comparison("10.22.", "10.96."))
    assert told.startswith('line 4: NAME=reader\necho "hello $NAME"\n    ')
    assert "the page: hello writer" in told


def test_what_is_left_running_holds_nobody_up(tmp_path: Path) -> None:
    assert follow("```sh\nsleep 5 &\necho $!\n```\n", os.environ, tmp_path)


@pytest.mark.parametrize("failing", ["echo why; false", "false | cat", "exit 3", "echo so\nnothing-of-that-name"])
def test_a_step_that_fails_is_told(failing: str, tmp_path: Path) -> None:
    page = SMALL.replace("echo again $NAME", f"{failing}\necho never")
    with pytest.raises(FailedStepError, match=r"^line 19: ") as told:
        follow(page, os.environ, tmp_path)
    assert "hello" not in str(told.value)
    assert "exit code 0" not in str(told.value)


def test_a_page_is_written_anew() -> None:
    again = rewritten(SMALL, ["hello you  \nand you\n", "nothing shows it\n"])
    assert again == SMALL.replace("hello reader\n", "hello you\nand you\n")
    assert rewritten(SMALL, ["hello reader\n", ""]) == SMALL


def test_addresses_are_put_into_other_networks() -> None:
    networks = {"10.22.": "10.24.", "10.100.198.": "10.100.197."}
    before = "10.22.2.0/24 via 10.100.198.202 dst=10.22.2.2 110.22.1.1 1.10.22.1 10.220.1.1 10.100.198"
    after = "10.24.2.0/24 via 10.100.197.202 dst=10.24.2.2 110.22.1.1 1.10.22.1 10.220.1.1 10.100.198"
    assert in_networks(before, networks) == after


SAME = [
    ("from 10.22.3.2: icmp_seq=1 ttl=62 time=0.119 ms", "from 10.22.3.7: icmp_seq=1 ttl=62 time=1 ms"),
    ("1 received, 0% packet loss, time 0ms", "1 received, 0% packet loss, time 12ms"),
    ("rtt min/avg/max/mdev = 0.1/0.1/0.1/0.000 ms", "rtt min/avg/max/mdev = 1.2/1.2/1.2/0.000 ms"),
    (
        '10.22.2.2 - - [24/Nov/2026:04:43:08 +0000] "GET /?x HTTP/1.1" 200 615',
        '10.22.2.4 - - [02/Jan/2027:23:00:01 +0100] "GET /?x HTTP/1.1" 200 615',
    ),
    ("nginx-deployment-79cf9875b6-fdr8d  1/1  Running", "nginx-deployment-5d8f7c9b4-2k4xz   1/1   Running"),
    ("0   54m   10.22.3.2   node2", "0   2m5s   10.22.3.2   node2"),
    ("4: veth8f2599cb@if2: <UP> mtu 1500", "17: vetha0b1c2d3@if2: <UP> mtu 1500"),
    ("link-netns cni-ef3a9e07-d945-ab0c-3928-195b340f9abc", "link-netns cni-00000000-d945-ab0c-3928-195b340f9abc"),
    ("10.22.2.95 dev eth0 lladdr e6:cc:8b:f4:74:36 REACHABLE", "10.22.2.95 dev eth0 lladdr 02:cc:8b:f4:74:36 STALE"),
    ("-j KUBE-SEP-J7QJKQV63MV7NQBA", "-j KUBE-SEP-AAAAAAAAAAAAAAAA"),
    ("src=10.22.2.2 dst=10.96.255.197 sport=47406 dport=80", "src=10.22.2.2 dst=10.96.1.2 sport=33333 dport=80"),
    ("tcp      6 118 TIME_WAIT mark=0 use=1", "tcp      6 91 TIME_WAIT mark=0 use=2"),
    ("icmp     1 29 src=10.22.2.2 type=8 id=26462", "icmp     1 30 src=10.22.2.2 type=8 id=7"),
    (
        "04:43:32.708796 cni0  In  IP (tos 0x0, ttl 64, id 46885, offset 0)\n  10.22.2.2 > 10.22.3.2: id 26461, seq 4,",
        "23:00:00.000000 cni0  In  IP (tos 0x0, ttl 64, id 1, offset 0)\n  10.22.2.2 > 10.22.3.2: id 2, seq 3,",
    ),
    ("passed: all 183 checks hold, in 6.3 s", "passed: all 190 checks hold, in 12.1 s"),
]


@pytest.mark.parametrize(("shown", "real"), SAME)
def test_what_is_another_in_every_cluster_is_no_difference(shown: str, real: str) -> None:
    assert compare(shown, real) == []
    assert compare(real, shown) == []


DIFFERENT = [
    ("icmp_seq=1 ttl=62 time=0.119 ms", "icmp_seq=1 ttl=63 time=0.119 ms"),
    ("1 received, 0% packet loss", "0 received, 100% packet loss"),
    # The node in place of the pod; the bridge; another node's pod.
    ("10.22.2.2 - - ", "10.100.198.201 - - "),
    ("10.22.2.2 - - ", "10.22.2.1 - - "),
    ("10.22.2.2 - - ", "10.22.3.2 - - "),
    ("10.22.2.1 - - ", "10.22.2.2 - - "),
    ("10.22.2.0/24 dev cni0", "10.22.3.0/24 dev cni0"),
    ("via 10.100.198.202 dev eth0", "via 10.100.198.200 dev eth0"),
    ("via 10.100.198.202 dev eth0", "via 10.100.198.202 dev eth1"),
    ("dst=10.96.255.197", "dst=10.22.3.2"),
    ("nameserver 10.96.0.10", "nameserver 10.96.0.11"),
    ("sport=47406 dport=80", "sport=47406 dport=81"),
    ("200 615", "404 153"),
    ("hairpin on", "hairpin off"),
    ("hairpin on\nhairpin on", "hairpin on"),
    ("hairpin on", ""),
    ("", "a warning"),
    ("10.22.2.95 dev eth0 lladdr e6:cc:8b:f4:74:36 REACHABLE", "10.22.2.95 dev eth0 FAILED"),
    ("brd ff:ff:ff:ff:ff:ff", "brd e6:cc:8b:f4:74:36"),
    ("04:43:32.708796 eth0  Out IP", "04:43:32.708796 eth0  In  IP"),
    ("passed: all 183 checks hold, in 6.3 s", "failed: 3 of 183 checks do not hold"),
    ("daddr != @unmasqueraded masquerade", "daddr @unmasqueraded masquerade"),
    # One thing that the page shows twice, and two that it tells apart.
    ("10.22.2.2 > 10.22.3.2\n10.22.2.2 > 10.22.3.2", "10.22.2.2 > 10.22.3.2\n10.22.2.5 > 10.22.3.2"),
    ("src=10.22.2.2 dst=10.22.2.95", "src=10.22.2.2 dst=10.22.2.2"),
    ("lladdr e6:cc:8b:f4:74:36 STALE\ne6:cc:8b:f4:74:36", "lladdr e6:cc:8b:f4:74:36 STALE\ne6:cc:8b:f4:74:37"),
    ("sport=47406 dport=80 sport=80 dport=47406", "sport=47406 dport=80 sport=80 dport=30619"),
    ("sport=47406 dport=80 sport=80 dport=30619", "sport=47406 dport=80 sport=80 dport=47406"),
    ("eth0@if4\n4: veth8f2599cb@if2: x", "eth0@if4\n5: veth8f2599cb@if2: x"),
    (" id 1, seq 4,\n id 1, seq 4,", " id 1, seq 4,\n id 1, seq 5,"),
]


@pytest.mark.parametrize(("shown", "real"), DIFFERENT)
def test_whatever_says_something_is_a_difference(shown: str, real: str) -> None:
    assert compare(shown, shown) == []
    assert compare(shown, real)


def test_a_name_stays_the_same_thing_over_the_page_and_a_port_within_a_step() -> None:
    kept = Comparison("10.22.", "10.96.")
    assert kept.step("10.22.2.2 sport=40000", "10.22.2.9 sport=50000") == []
    assert kept.step("10.22.2.2 sport=40000", "10.22.2.9 sport=60000") == []
    assert kept.step("10.22.2.2", "10.22.2.2")
    assert kept.step("10.22.2.95", "10.22.2.9")


@pytest.mark.parametrize("page", sorted(DOCS.glob("how-*.md")), ids=lambda page: page.name)
def test_every_page_can_be_followed(page: Path) -> None:
    """As far as that can be said without a cluster."""
    text = page.read_text()
    assert [step for step in steps(text) if step.output is not None]
    assert all(step.output is None or step.output.strip() for step in steps(text))
    assert shutil.which("bash")
    subprocess.run(["bash", "-n", "-c", script(steps(text))], check=True)
    for name in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / name).is_file()


def outputs_of_the_page() -> list[str]:
    return [step.output or "" for step in steps(PAGE.read_text())]


def test_the_page_agrees_with_itself() -> None:
    assert differences(PAGE.read_text(), outputs_of_the_page(), Comparison("10.22.", "10.96.")) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("ttl=62", "ttl=63"),
        ("ttl 63, id", "ttl 64, id"),
        ("```text\n10.22.2.2 - - ", "```text\n10.100.198.201 - - "),
        ("10.22.3.0/24 via 10.100.198.202 dev eth0 proto 201\n", ""),
        ("src=10.22.3.2 dst=10.22.2.2 sport=80", "src=10.22.3.2 dst=10.100.198.201 sport=80"),
        ("eth0  Out IP 10.100.198.201 >", "eth0  Out IP 10.22.2.2 >"),
        ("\nd6:1d:aa:76:86:7c\n", "\nd6:1d:aa:76:86:7d\n"),
        ("--to-destination 10.22.3.2:80", "--to-destination 10.22.2.2:80"),
    ],
)
def test_a_cluster_that_does_otherwise_is_told_from_the_page(right: str, wrong: str) -> None:
    """The same page with one thing changed stands for it; in both directions."""
    page = PAGE.read_text()
    assert right in page
    changed = page.replace(right, wrong)
    assert differences(changed, outputs_of_the_page(), Comparison("10.22.", "10.96."))
    others = [step.output or "" for step in steps(changed)]
    assert differences(page, others, Comparison("10.22.", "10.96."))
