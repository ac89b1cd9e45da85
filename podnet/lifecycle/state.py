"""What podnet changes in a stack's state, as ``pulumi stack export`` gives it; each function changes it in place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any


def given_up(state: dict[str, Any], machines: Collection[str]) -> bool:
    """Mark what goes away with machines of these names: it is dropped, and never asked to undo itself.

    The engine does the same by itself (deletedWith) where a machine is deleted, but not where it is replaced. The next
    deployment takes the mark off again, for the program does not set it. True where something was marked.
    """
    marked = False
    for resource in state.get("deployment", {}).get("resources") or []:
        if _name(resource.get("deletedWith", "")) in machines:
            resource["retainOnDelete"] = True
            marked = True
    return marked


def settled(state: dict[str, Any], goes: Callable[[str], bool]) -> list[str]:
    """Settle the operations that a killed run left open; the names of their resources.

    Every command of podnet may be repeated, so what was being changed or deleted is simply changed or deleted again. A
    creation that was cut off has left something or nothing: the next deployment makes it once more, but a resource that
    goes has to be in the state as if it had been finished. goes: whether the next deployment takes the resource of this
    name away.
    """
    deployment = state.get("deployment", {})
    pending = deployment.pop("pending_operations", None) or []
    for operation in pending:
        if operation["type"] == "creating" and goes(_name(operation["resource"]["urn"])):
            _adopt(deployment.setdefault("resources", []), operation["resource"])
    return [_name(operation["resource"]["urn"]) for operation in pending]


def _adopt(resources: list[dict[str, Any]], cut_off: dict[str, Any]) -> None:
    for known in [each for each in resources if each["urn"] == cut_off["urn"]]:
        if not known.get("pendingReplacement"):
            return  # a replacement beside the old one, whose deletion undoes both
        resources.remove(known)
    resources.append({**cut_off, "id": "cut-off", "outputs": cut_off.get("inputs", {})})


def inputs_of(state: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The inputs of the one resource of this name, components apart; none where there is no such resource."""
    resources = state.get("deployment", {}).get("resources") or []
    found = (each for each in resources if each.get("custom") and _name(each["urn"]) == name)
    return next((each.get("inputs", {}) for each in found), {})


def urn_of(name: str) -> str:
    """Give the engine's pattern for the one command of this name; ``**`` alone would match any name that ends so."""
    return f"**:Command::{name}"


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
