"""The rule about remote commands judges a delete by what it does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from podnet_policy import commands
from podnet_policy.resource import UNKNOWN, Resource

REMOTE = "command:remote:Command"
GOLDEN = Path(__file__).parents[2] / "golden" / "commands.txt"
NODE = "sudo /usr/local/lib/podnet/podnet-node"

NO_OPS = [
    "",
    " ",
    "true",
    ":",
    "echo",
    "echo removed",
    "printf 'removed\\n'",
    "exit",
    "exit 0",
    "sudo true",
    "sudo -n true",
    "sudo -n -u root /bin/true",
    "env true",
    "env A=b true",
    "A=b",
    "A=b sudo env C=d echo x",
    "nohup nice true",
    "command :",
    "exec true",
    "true; :",
    "true && echo a || exit 1",
    "true\necho b\n",
    "# rm x",
    "echo 'rm x'",
    "echo x > /dev/null 2>&1",
    "false && rm x",
    "true || rm x",
    "exit 0; rm x",
    "exit 0\nrm x",
    "{ true; }",
    "(true)",
    "if true; then :; fi",
    "! true",
    "sh -c true",
    "sudo sh -c 'echo removed; exit 0'",
    "sh -c \"bash -c 'true'\"",
    "echo | cat",
    "test -e x",
    "[ -e x ] && echo there",
    "rm 'x",  # no shell runs it
]
DELETES = [
    "rm x",
    "sudo rm x",
    "sudo -n sh -s -- release dev node1",
    "true; rm x",
    "true && rm x",
    "false || rm x",
    "echo x > /etc/x",
    ": > /etc/x",
    "echo x | sudo tee /etc/x",
    "echo $(rm x)",
    'echo "$(rm x)"',
    "echo `rm x`",
    "test -e x || exit 0; rm x",
    "if test -e x; then exit 0; fi; rm x",
    "! true || rm x",
    "sh -c 'rm x'",
    "sudo systemctl disable --quiet --now x; sudo rm -rf y && sudo systemctl daemon-reload",
]


def resource(type_: str = REMOTE, **inputs: Any) -> Resource:
    return Resource(f"urn:pulumi:dev::podnet::{type_}::it", type_, inputs)


@pytest.mark.parametrize("delete", NO_OPS)
def test_a_delete_that_does_nothing_is_none(delete: str) -> None:
    for create in ("touch /x", f"{NODE} route node2"):
        (problem,) = commands.check(resource(create=create, delete=delete))
        assert ("undoes nothing" if delete.strip() else "has no delete") in problem


@pytest.mark.parametrize("delete", DELETES)
def test_a_delete_that_does_something(delete: str) -> None:
    assert commands.check(resource(create="touch /x", delete=delete)) == []


@pytest.mark.parametrize(
    ("create", "delete", "words"),
    [
        (f"{NODE} route node2", f"{NODE} route-remove node2", ""),
        (f"{NODE} route node2", f"{NODE} route-remove node3", "is undone by podnet-node's route-remove node2"),
        (f"{NODE} route node2", f"{NODE} masquerade-remove", "is undone by podnet-node's route-remove node2"),
        (f"{NODE} route node2", "rm x", "is undone by podnet-node's route-remove node2"),
        (f"{NODE} route node2", f"{NODE} route-remove node2; true", "is undone by"),
        (f"{NODE} route node2", f"{NODE} route node2", "route has a delete that undoes nothing"),
        (f"{NODE} register node1 10.22.1.0/24", f"{NODE} unregister node1", ""),
        (f"{NODE} register node1 10.22.1.0/24", f"{NODE} unregister node2", "is undone by podnet-node's unregister"),
        (f"{NODE} masquerade", f"{NODE} masquerade-remove", ""),
        (f"{NODE} something", f"{NODE} something-remove", "something is no word of which the policy pack knows"),
        (f"{NODE} route node2", UNKNOWN, ""),
        (f"{NODE} route node2", None, "route has no delete"),
        ("sudo sh -s", "sudo sh -s", "the command has a delete that undoes nothing"),
        *((f"{NODE} {word}", None, "") for word in commands.NOTHING_TO_UNDO),
        (f"{NODE} join-ticket node1", None, "join-ticket has no delete"),
        (f"{NODE} join-ticket node1", f"{NODE} join-ticket-remove node1", ""),
        *(
            (f"{NODE} admin-conf{more}", None, "the command has no delete")
            for more in (" && touch /x", "; touch /x", " | tee /x", " > /x", " $(touch /x)", "\ntouch /x", " '")
        ),
        ("/home/podnet-node admin-conf", None, "the command has no delete"),
        (UNKNOWN, None, "the command has no delete"),
        (None, "rm x", ""),
    ],
)
def test_what_undoes_a_command(create: Any, delete: Any, words: str) -> None:
    found = commands.check(resource(create=create, delete=delete))
    assert [words in problem for problem in found] == ([True] if words else [])


def test_only_remote_commands_and_copies_are_judged() -> None:
    assert commands.check(resource("command:local:Command", create="touch x")) == []
    assert ["never deleted" in each for each in commands.check(resource("command:remote:CopyToRemote"))] == [True]


def test_every_word_of_podnet_node_is_undone() -> None:
    """The golden file has every command line of podnet's; every word of the table is among them."""
    blocks = re.findall(r"  create: (.*)\n  delete: (.*)\n", GOLDEN.read_text())
    own = [(create, None if delete == "None" else delete) for create, delete in blocks if create.startswith(NODE)]
    for create, delete in own:
        assert commands.check(resource(create=create, delete=delete)) == []
    words = {create.removeprefix(f"{NODE} ").split()[0] for create, _ in own}
    assert words == {*commands.UNDONE_BY, *commands.NOTHING_TO_UNDO}
