"""What is said of the parts of a node that could not be seen: who is to blame, and for what."""

from __future__ import annotations

from typing import Any

import pytest

from podnet.verify import facts
from podnet.verify.facts import read

from .captured import answer


def test_what_the_agent_did_not_answer_is_no_answer() -> None:
    every = {"routes", "interfaces", "ports", "tables", "sysctls", "service"}
    assert read("node1", {}).unseen == dict.fromkeys(every, "the node gave no answer")
    half = answer("node1")
    del half["programs"]["links"]
    half["programs"]["routes"] = None
    assert read("node1", half).unseen == dict.fromkeys(("routes", "interfaces", "ports"), "the node gave no answer")


def test_a_defect_of_a_parser_looks_like_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str) -> Any:
        return {"": text}[text[2:8]]

    monkeypatch.setattr(facts, "interfaces", broken)
    found = read("node1", answer("node1"))
    assert list(found.unseen) == ["interfaces"]
    said = found.unseen["interfaces"]
    assert said.startswith("podnet could not read what `ip -json -details addr show` printed (KeyError: '\"ifind'): [{")
    assert said.endswith(" ...")
    assert len(said) < 450


def test_what_a_program_said_is_told_whole() -> None:
    failed = answer("node1")
    failed["programs"]["routes"].update(status=1, errors="Error: any valid prefix is expected\nDump terminated\n")
    said = "ip -json -4 route show: Error: any valid prefix is expected; Dump terminated"
    assert read("node1", failed).unseen == {"routes": said}
