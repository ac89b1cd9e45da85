"""The conditions of a rule in a few words, so that tests can be read."""

from __future__ import annotations

from podnet.parse.netfilter import Addresses, AddressTypes, Condition, Interfaces, Mark, States, Unread


def described(condition: Condition) -> str:
    match condition:
        case Addresses(side, networks, negated):
            words = [side, *map(str, networks)]
        case Interfaces(side, names, negated):
            words = [side, *names]
        case AddressTypes(side, names, negated):
            words = [side, *sorted(names)]
        case States(names, negated):
            words = sorted(names)
        case Mark(value, mask, negated):
            words = [f"{value:#x}/{mask:#x}"]
        case Unread(text):
            return f"? {text}"
    return " ".join(["!"] * negated + words)
