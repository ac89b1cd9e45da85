"""How often the agent makes a probe, and what it says of one that fails; tests/integration has it in a real network."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from podnet.verify import agent

TOO_BIG = "ping: local error: message too long, mtu=1500"


@pytest.mark.parametrize(
    ("more", "error", "tries", "too_big"),
    [
        ({"must_fail": True}, TOO_BIG, 1, True),
        ({"must_fail": True}, "From 10.22.1.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)", 1, True),
        ({"must_fail": True}, "no echo", 1, False),
        ({}, TOO_BIG, 3, True),
        ({}, "no echo", 3, False),
    ],
)
def test_a_probe_that_must_fail_is_made_once(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], error: str, tries: int, too_big: bool
) -> None:
    made = []

    async def fails(probe: dict[str, Any]) -> dict[str, Any]:
        made.append(probe)
        raise OSError(error)

    monkeypatch.setattr(agent, "_ACTIONS", {"icmp": fails})
    monkeypatch.setattr(agent, "_PATIENCE", 0)
    [answer] = asyncio.run(agent.probe_all([{"id": "x", "action": "icmp", **more}]))
    assert (answer["ok"], answer["too_big"], answer["error"]) == (False, too_big, error)
    assert len(made) == tries
