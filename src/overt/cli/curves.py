# SPDX-License-Identifier: Apache-2.0
"""Curves as plain SVG, black on white and told apart by dashes too. Knows axes and points, no measure."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 15, 50
_STYLES = (("#0b4f8a", ""), ("#a03c00", "7 3"), ("#1c6b2a", "2 3"), ("#6b2a86", "9 3 2 3"), ("#333", "1 2"))
_STEPS = 5  # of a linear axis


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale. least, most: its ends; logarithmic needs both above 0, and values below `least` are drawn there."""

    label: str
    least: float
    most: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, 0..1."""
        held = min(max(value, self.least), self.most)
        if self.logarithmic:
            return math.log(held / self.least) / math.log(self.most / self.least)
        return (held - self.least) / (self.most - self.least)

    def ticks(self) -> Iterator[float]:
        """Values that are written at the axis."""
        if self.logarithmic:
            for power in range(math.ceil(math.log10(self.least) - 1e-9), math.floor(math.log10(self.most) + 1e-9) + 1):
                yield 10.0**power
        else:
            for step in range(_STEPS + 1):
                yield self.least + (self.most - self.least) * step / _STEPS


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points (x, y)."""

    name: str
    points: Sequence[tuple[float, float]]


def draw(x: Axis, y: Axis, curves: Sequence[Curve], title: str) -> str:
    """An SVG element, the same for the same curves. title: what it shows, for who cannot see it."""
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def at(across: float, up: float) -> tuple[str, str]:
        return f"{_LEFT + across * width:.1f}", f"{_TOP + (1 - up) * height:.1f}"

    parts = [f"<title>{html.escape(title)}</title>"]
    for tick in x.ticks():
        left, bottom = at(x.place(tick), 0)
        parts.append(_line(left, str(_TOP), left, bottom))
        parts.append(_text(left, f"{_TOP + height + 16}", f"{tick:.3g}", "middle"))
    for tick in y.ticks():
        left, up = at(0, y.place(tick))
        parts.append(_line(left, up, str(_LEFT + width), up))
        parts.append(_text(f"{_LEFT - 6}", up, f"{tick:.3g}", "end"))
    parts.append(_text(f"{_LEFT + width / 2:.1f}", f"{_HEIGHT - 10}", x.label, "middle"))
    middle = f"{_TOP + height / 2:.1f}"
    parts.append(_text("14", middle, y.label, "middle", f' transform="rotate(-90 14 {middle})"'))
    for number, curve in enumerate(curves):
        colour, dashes = _STYLES[number % len(_STYLES)]
        stroke = f'fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dashes or "none"}"'
        points = " ".join(",".join(at(x.place(a), y.place(b))) for a, b in curve.points)
        parts.append(f'<polyline points="{points}" {stroke}/>')
        key = _TOP + 12 + 18 * number
        parts.append(f'<path d="M{_LEFT + width + 10} {key}h24" {stroke}/>')
        parts.append(_text(f"{_LEFT + width + 40}", f"{key + 4}", curve.name, "start"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="11">{"".join(parts)}</svg>'
    )


def _line(x1: str, y1: str, x2: str, y2: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#ccc"/>'


def _text(x: str, y: str, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{more}>{html.escape(text)}</text>'
