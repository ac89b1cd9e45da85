"""Every remote command has a delete that does something."""

from __future__ import annotations

from typing import Any

import pytest

from podnet_policy import commands
from podnet_policy.resource import UNKNOWN, Resource

REMOTE = "command:remote:Command"


def resource(type_: str = REMOTE, kind: str = "", **inputs: Any) -> Resource:
    return Resource(f"urn:pulumi:dev::podnet::{kind}${type_}::it".replace("::$", "::"), type_, inputs)


@pytest.mark.parametrize(
    "delete",
    [
        "",
        " ",
        "true",
        ":",
        "echo",
        "echo removed",
        "printf 'removed\\n'",
        "exit 0",
        "sudo true",
        "sudo -n true",
        "touch /x",
    ],
)
def test_a_delete_that_does_nothing_is_none(delete: str) -> None:
    (problem,) = commands.check(resource(create="touch /x", delete=delete))
    assert ("undoes nothing" if delete.strip() else "has no delete") in problem


@pytest.mark.parametrize(
    "delete",
    [
        "rm x",
        "sudo rm x",
        "true; rm x",
        "echo x > /etc/x",
        "echo x | sudo tee /etc/x",
        "echo $(rm x)",
        "sh -c true",
        UNKNOWN,
    ],
)
def test_a_delete_that_may_do_something(delete: object) -> None:
    assert commands.check(resource(create="touch /x", delete=delete)) == []


def test_what_has_no_delete() -> None:
    assert len(commands.check(resource(create="touch /x"))) == 1
    assert len(commands.check(resource(kind="podnet:routes:StaticRoutes", create="touch /x"))) == 1
    for kind in commands.NOTHING_TO_UNDO:
        assert commands.check(resource(kind=kind, create="cat /x")) == []
    assert commands.check(resource("command:local:Command", create="touch /x")) == []
    assert commands.check(resource()) == []


@pytest.mark.parametrize("type_", ["command:remote:CopyFile", "command:remote:CopyToRemote"])
def test_a_copied_file_stays(type_: str) -> None:
    assert len(commands.check(resource(type_))) == 1
