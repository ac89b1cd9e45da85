"""The review as Markdown: a comment of a pull request, or a file."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from podnet.markdown import block, code
from podnet.planning import ClusterPlan
from podnet.review import words
from podnet.review.difference import Difference, difference
from podnet.review.disruption import disruptions
from podnet.review.picture import picture
from podnet.review.steps import Action, InputChange, Step

LONGEST: Final = 60_000
"""Characters. GitHub refuses a comment of more than 65,536."""

_ROWS: Final = 100
_PHRASES: Final = 5
_INLINE: Final = 60
_SIGNS: Final = {Action.CREATE: "+", Action.UPDATE: "~", Action.REPLACE: "±", Action.DELETE: "-"}


@dataclass(frozen=True, slots=True)
class Review:
    """What is reviewed.

    base: what the change is compared with, in words (a branch and a commit).
    before: None where the stack is new, or where why says that its config cannot be planned.
    steps: None where no engine previewed anything.
    """

    base: str
    before: ClusterPlan | None
    after: ClusterPlan
    steps: tuple[Step, ...] | None = None
    why: str = ""

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.after.cluster.name


def marker(stack: str) -> str:
    """The first line: the comment of an earlier run is found by it."""
    return f"<!-- podnet-review {stack} -->"


def markdown(review: Review) -> str:
    """Write a review. What does not fit is left out from the end, and the text says so."""
    found = difference(review.before, review.after)
    parts = [*_head(review, found), *_in_words(review, found), *_resources(review.steps)]
    pictures = list(_pictures(review, found))
    details = list(_details(review.steps or ()))
    return _fitting([*parts, *pictures], details)


def _head(review: Review, found: Difference) -> Iterator[str]:
    yield marker(review.stack)
    yield f"## What this changes for the stack {code(review.stack)}"
    yield f"Compared with {code(review.base)}."
    if review.why:
        yield "The config there cannot be planned by this version, so what follows is as if the stack were new:"
        yield block(review.why)
    elif review.before is None:
        yield "The stack is new."
    elif found.empty:
        yield "Its plan is the same: no node, route or setting changes."


def _in_words(review: Review, found: Difference) -> Iterator[str]:
    for title, lines in (
        ("Nodes", words.nodes(found)),
        ("Settings", words.settings(found)),
        ("Routes", words.routes(found)),
        ("What this disrupts", _disrupted(review)),
    ):
        if lines:
            yield f"### {title}\n\n" + "\n".join(f"- {line}" for line in lines)


def _disrupted(review: Review) -> list[str]:
    if review.steps is None or review.before is None:
        return []
    found = disruptions(review.steps)
    return [f"{', '.join(code(name) for name in each.who)}: {each.what}." for each in found] or ["Nothing."]


def _resources(steps: Sequence[Step] | None) -> Iterator[str]:
    if steps is None:
        return
    if not steps:
        yield "### Resources\n\nNone changes."
        return
    counts = Counter(step.action for step in steps)
    total = ", ".join(f"{counts[action]} to {action}" for action in Action if counts[action])
    rows = [f"| {_SIGNS[step.action]} {step.action} | {code(step.name)} | {_what(step)} |" for step in steps[:_ROWS]]
    more = [f"\n… and {len(steps) - _ROWS} more."] if len(steps) > _ROWS else []
    yield "\n".join([f"### Resources\n\n{total}\n", "| | resource | what changes |", "|---|---|---|", *rows, *more])


def _what(step: Step) -> str:
    if step.action in (Action.CREATE, Action.DELETE):
        return code(step.type)
    phrases = [*map(_inline, step.changes), *(f"with {code(name)}" for name in step.because)]
    more = [f"and {len(phrases) - _PHRASES} more"] if len(phrases) > _PHRASES else []
    return "; ".join([*phrases[:_PHRASES], *more])


def _inline(change: InputChange) -> str:
    if _is_long(change):
        return f"{code(change.path)} (below)"
    if change.before is None or change.after is None:
        return f"{code(change.path)} {'added' if change.before is None else 'removed'}"
    return f"{code(change.path)}: {code(change.before)} → {code(change.after)}"


def _is_long(change: InputChange) -> bool:
    values = [value for value in (change.before, change.after) if value is not None]
    return len(values) == 2 and any(len(value) > _INLINE or "\n" in value for value in values)


def _details(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        for change in step.changes:
            if _is_long(change):
                old, new = (change.before or "").splitlines(), (change.after or "").splitlines()
                text = "\n".join(list(difflib.unified_diff(old, new, lineterm="", n=2))[2:])
                # A summary is HTML: a code span would not be one in there.
                yield f"{code(step.name)}, {code(change.path)}:\n\n{block(text, 'diff')}"


def _pictures(review: Review, found: Difference) -> Iterator[str]:
    if review.before is not None and found.empty:
        return
    for title, plan in (("Before", review.before), ("After", review.after)):
        if plan:
            yield f"### {title}\n\n{block(picture(plan), 'mermaid')}"


def _fitting(parts: Sequence[str], details: Sequence[str]) -> str:
    """Join what fits: the parts in their order, then the details in a fold."""
    kept, room = [], LONGEST
    for part in parts:
        if len(part) + 2 > room:
            kept.append("(The rest does not fit into a comment.)")
            details = []
            break
        kept.append(part)
        room -= len(part) + 2
    folded = []
    for detail in details:
        if len(detail) + 200 > room:
            folded.append("(The rest does not fit into a comment.)")
            break
        folded.append(detail)
        room -= len(detail) + 2
    if folded:
        kept.append("\n\n".join(["<details><summary>The inputs that change</summary>", *folded, "</details>"]))
    return "\n\n".join(kept) + "\n"
