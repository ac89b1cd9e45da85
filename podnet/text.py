"""Text from elsewhere, and counts, as they may be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def visible(text: str) -> str:
    """Write out what cannot be seen: control characters, and those that turn the direction of a line around."""
    return "".join(each if each.isprintable() or each in "\n\t" else f"\\u{ord(each):04x}" for each in text)


def xml_text(text: str) -> str:
    """Replace what XML 1.0 cannot hold, not even escaped, by U+FFFD; what a tool says may have a colour in it."""
    return _NOT_XML.sub("\ufffd", text)


def few(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def counted(count: int, noun: str) -> str:
    """So many of something: ``1 route``, ``2 routes``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
