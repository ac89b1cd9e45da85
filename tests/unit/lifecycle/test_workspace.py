"""Where the state goes, and which stack a shell is about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podnet.errors import PodnetError
from podnet.lifecycle.backend import folder_of, url_of
from podnet.lifecycle.places import ROOT, places
from podnet.lifecycle.workspace import Workspace

CLOUD = "https://api.example.com"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PATH": "/usr/bin"}


def log_in(home: Path, content: str) -> Path:
    file = home / ".pulumi/credentials.json"
    file.parent.mkdir()
    file.write_text(content)
    return file


def backend(environ: dict[str, str], stack: str = "dev") -> str:
    where = places(environ)
    variables = Workspace(stack, where, Path("/v/bin/python")).own_variables(environ=environ)
    url = url_of(where, stack, environ)
    own = variables.get("PULUMI_BACKEND_URL")
    assert own in (url, None)
    assert ("PULUMI_CREDENTIALS_PATH" in variables) == (own is None and "PULUMI_BACKEND_URL" not in environ)
    return url


def test_the_state_is_podnets_own_affair(environ: dict[str, str], tmp_path: Path) -> None:
    assert backend(environ) == f"file://{tmp_path}/.local/state/podnet/backend"


def test_who_is_logged_in_has_the_state_there(environ: dict[str, str], tmp_path: Path) -> None:
    log_in(tmp_path, json.dumps({"current": CLOUD, "accounts": {CLOUD: {}}}))
    assert backend(environ) == CLOUD


@pytest.mark.parametrize("content", [json.dumps({"accounts": {CLOUD: {}}}), json.dumps({"current": ""}), "[]", "{"])
def test_what_a_logout_leaves_is_no_login(environ: dict[str, str], tmp_path: Path, content: str) -> None:
    log_in(tmp_path, content)
    assert backend(environ).startswith("file:///")


def test_a_stack_that_was_there_before_the_login_stays_where_it_is(environ: dict[str, str], tmp_path: Path) -> None:
    log_in(tmp_path, json.dumps({"current": CLOUD}))
    kept = tmp_path / ".local/state/podnet/backend/.pulumi/stacks/podnet/dev.json"
    kept.parent.mkdir(parents=True)
    kept.with_name("dev.json.bak").touch()
    assert backend(environ) == CLOUD
    kept.touch()
    assert backend(environ).startswith("file:///")
    assert backend(environ, "dev2") == CLOUD


def test_a_backend_that_was_chosen_counts(environ: dict[str, str], tmp_path: Path) -> None:
    log_in(tmp_path, json.dumps({"current": CLOUD}))
    assert backend(environ | {"PULUMI_BACKEND_URL": "file:///srv/state"}) == "file:///srv/state"


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:///srv/state", Path("/srv/state")),
        ("file:///srv/state?no_tmp_dir=true", Path("/srv/state")),
        ("file://~/state", Path.home() / "state"),
        ("file://./state", ROOT / "state"),
        (CLOUD, None),
        ("s3://bucket/state", None),
    ],
)
def test_locks_are_looked_for_where_the_state_is(url: str, folder: Path | None) -> None:
    assert folder_of(url) == folder


def test_a_shell_is_about_its_stack_in_every_checkout(environ: dict[str, str]) -> None:
    found = Workspace("two", places(environ), Path("/v/bin/python")).own_variables(environ=environ)
    assert found["PULUMI_STACK"] == "two"


@pytest.mark.parametrize("name", ["a b", "a|b", "50%", "a&b", "it's", "a:b", 'say "a"', "back\\slash", "$HOME", "#1"])
@pytest.mark.parametrize("key", ["PODNET_STATE", "PODNET_CACHE"])
def test_a_folder_that_lxc_or_ssh_would_misread_is_refused(environ: dict[str, str], key: str, name: str) -> None:
    with pytest.raises(PodnetError, match=key):
        places(environ | {key: f"/srv/{name}/podnet"})
    assert places(environ | {key: "/srv/josé+x_1.2-~@/podnet"})
