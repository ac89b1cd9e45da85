"""What a refresh calls drift, which a repair puts right, and what others have put on a node."""

from __future__ import annotations

import pytest

from podnet.observe.drift import compare
from podnet.verify.facts import read
from tests.unit.verify.captured import PLAN, Damage, answer, edit, rule


def kinds(damage: Damage) -> tuple[list[str], list[str]]:
    """The kinds of what has drifted and of what is others' after some damage, beyond what was there before it."""
    damaged = answer("node1")
    damage(damaged)
    before = compare(PLAN, "node1", read("node1", answer("node1")))
    after = compare(PLAN, "node1", read("node1", damaged))

    def new(now: tuple[str, ...], then: tuple[str, ...]) -> list[str]:
        return [line.partition(":")[0] for line in now if line not in then]

    return new(after.drift, before.drift), new(after.foreign, before.foreign)


@pytest.mark.parametrize(
    ("damage", "drift", "foreign"),
    [
        pytest.param(lambda _: None, [], [], id="nothing"),
        pytest.param(
            edit("routes", lambda routes: routes.clear()), ["route to master", "route to node2"], [], id="routes"
        ),
        pytest.param(rule("-A POSTROUTING -s 10.25.2.0/24 -j MASQUERADE"), [], ["no-nat-no-drop"], id="others' rule"),
    ],
)
def test_what_is_others_is_no_drift(damage: Damage, drift: list[str], foreign: list[str]) -> None:
    """A firewall's rule cannot be repaired, so it would keep every refresh from its end."""
    found = kinds(damage)
    assert [kind for kind in found[0] if kind.startswith("route")] == drift
    assert found[1] == foreign
