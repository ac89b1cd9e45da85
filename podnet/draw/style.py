"""The picture's colours and lines, light and dark.

Every class is written out with its values: CSS variables would be shorter, but converters (librsvg and others) draw
what they do not know in black.
"""

from __future__ import annotations

from typing import Final

from podnet.draw.evidence import State
from podnet.draw.measure import CODE, NAME, SMALL, STRONG, TEXT, TITLE

_SANS: Final = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif'
_MONO: Final = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace'

_COLOURS: Final = {
    # class: (fill or stroke in light, in dark)
    "paper": ("fill:#ffffff", "fill:#0d1117"),
    "ink": ("fill:#1f2328", "fill:#e6edf3"),
    "muted": ("fill:#57606a", "fill:#9da7b3"),
    "machine": ("fill:#f6f8fa;stroke:#afb8c1", "fill:#161b22;stroke:#4b535d"),
    "subnet": ("fill:#e8f3ff;stroke:#9ccbff", "fill:#10233d;stroke:#234a7d"),
    "pod": ("fill:#ffffff;stroke:#54a3f5", "fill:#0d1117;stroke:#3b7dd8"),
    "ghost": ("fill:none;stroke:#54a3f5", "fill:none;stroke:#3b7dd8"),
    "wire": ("stroke:#2f7fd6", "stroke:#58a6ff"),
    "wire-head": ("fill:#2f7fd6", "fill:#58a6ff"),
    "bridge": ("fill:#0a5cc2", "fill:#1f6feb"),
    "on-bridge": ("fill:#ffffff", "fill:#ffffff"),
    "network": ("fill:#efe8fb", "fill:#221b36"),
    "network-ink": ("fill:#5b3aa8", "fill:#c4a7ff"),
    "interface": ("fill:#ffffff;stroke:#8250df", "fill:#161226;stroke:#a37cf0"),
    "outside": ("fill:#fff8e6;stroke:#bf8700", "fill:#272115;stroke:#bb8009"),
}

_STATES: Final = {
    State.PLANNED: ("#57606a", "#9da7b3"),
    State.PASSED: ("#17702f", "#3fb950"),
    State.FAILED: ("#bd1e2b", "#ff7b72"),
    State.NOT_TRIED: ("#7d5b00", "#d9a520"),
    State.DRIFTED: ("#b1400e", "#ffa657"),
}
"""Each has at least 4.5 : 1 on everything that it is written on."""

_LINES: Final = (
    ".machine,.subnet,.pod,.ghost,.interface,.outside{stroke-width:1.2}",
    ".ghost{stroke-dasharray:4 3}",
    ".outside{stroke-dasharray:7 4}",
    ".wire{fill:none;stroke-width:1.6}",
    ".route{fill:none;stroke-width:1.8;stroke-linejoin:round}",
    ".sign{fill:none;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}",
    ".route.planned{stroke-dasharray:6 3}",
    ".route.failed{stroke-dasharray:12 4;stroke-width:2.4}",
    ".route.not-tried{stroke-dasharray:1.5 4;stroke-linecap:round}",
    ".route.drifted{stroke-dasharray:10 4 2 4;stroke-width:2.4}",
    ".alarm{fill:none;stroke-width:2}",
)


def css_class(state: State) -> str:
    """The state's class."""
    return state.replace(" ", "-")


def css(scope: str) -> str:
    """The rules of the picture, under one selector, so that a page around it keeps its own look."""
    dark = [*_coloured(1), *_states(1)]
    rules = [*_fonts(), *_coloured(0), *_LINES, *_states(0)]
    return (
        "\n".join(_under(scope, rule) for rule in rules)
        + "\n@media (prefers-color-scheme:dark){\n"
        + "\n".join(_under(scope, rule) for rule in dark)
        + "\n}"
    )


def _under(scope: str, rule: str) -> str:
    selectors, brace, body = rule.partition("{")
    return ",".join(f"{scope} {selector}" for selector in selectors.split(",")) + brace + body


def _fonts() -> list[str]:
    rules = [f"text{{font-family:{_SANS};font-size:{TEXT.size}px}}"]
    for font in (TITLE, NAME, STRONG, SMALL, CODE):
        face = f";font-family:{_MONO}" if font.mono else ";font-weight:700" if font.bold else ""
        rules.append(f".{font.name}{{font-size:{font.size}px{face}}}")
    return rules


def _coloured(theme: int) -> list[str]:
    return [f".{name}{{{colours[theme]}}}" for name, colours in _COLOURS.items()]


def _states(theme: int) -> list[str]:
    rules = []
    for state, colours in _STATES.items():
        name, colour = css_class(state), colours[theme]
        lines = f".route.{name},.sign.{name},.alarm.{name}{{stroke:{colour}}}"
        rules += [lines, f".status.{name},.head.{name},.dot.{name}{{fill:{colour}}}"]
    return rules
