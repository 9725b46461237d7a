"""A chart as SVG: lines with points over two logarithmic axes, a legend, a goal. Nothing else is needed here.

Colours are told apart by those who see few of them, and lines by their points' shapes too. Neighbours:
``report`` has the numbers.
"""

from __future__ import annotations

from html import escape
from math import ceil, floor, log10
from typing import Final

from bench.report import Chart, shown

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 40, 48
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_SHAPES: Final = ("circle", "square", "diamond")


def svg(chart: Chart) -> str:
    """The whole document."""
    xs = [x for points in chart.lines.values() for x, _ in points]
    ys = [y for points in chart.lines.values() for _, y in points]
    ys += [] if chart.goal is None else [chart.goal]
    across = _Axis(min(xs), max(xs), _LEFT, _WIDTH - _RIGHT)
    up = _Axis(min(ys), max(ys), _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(chart.title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_LEFT, 20, chart.title, size=14),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, chart.x, anchor="middle"),
        _text(8, _TOP - 8, chart.y),
    ]
    for tick in across.ticks:
        at = across.at(tick)
        parts.append(_line(at, _TOP, at, _HEIGHT - _BOTTOM, "#e5e5e5"))
        parts.append(_text(at, _HEIGHT - _BOTTOM + 16, shown(tick), anchor="middle"))
    for tick in up.ticks:
        at = up.at(tick)
        parts.append(_line(_LEFT, at, _WIDTH - _RIGHT, at, "#e5e5e5"))
        parts.append(_text(_LEFT - 6, at + 4, shown(tick), anchor="end"))
    if chart.goal is not None:
        at = up.at(chart.goal)
        parts.append(_line(_LEFT, at, _WIDTH - _RIGHT, at, "#888", dashed=True))
        parts.append(_text(_WIDTH - _RIGHT + 6, at + 4, f"goal {shown(chart.goal)}", colour="#666"))
    for number, (name, points) in enumerate(chart.lines.items()):
        colour, shape = _COLOURS[number % len(_COLOURS)], _SHAPES[number % len(_SHAPES)]
        spots = [(across.at(x), up.at(y)) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [_spot(x, y, colour, shape) for x, y in spots]
        x, y = _WIDTH - _RIGHT + 14, _TOP + 16 * number + 6
        parts += [_spot(x, y, colour, shape), _text(x + 10, y + 4, name)]
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Axis:
    """A logarithmic one, from ``start`` to ``end`` on the paper."""

    def __init__(self, least: float, most: float, start: float, end: float) -> None:
        self._low = floor(log10(least) * 2) / 2
        self._high = max(ceil(log10(most) * 2) / 2, self._low + 0.5)
        self._start, self._scale = start, (end - start) / (self._high - self._low)

    def at(self, value: float) -> float:
        return self._start + (log10(value) - self._low) * self._scale

    @property
    def ticks(self) -> list[float]:
        powers = range(ceil(self._low), floor(self._high) + 1)
        between = [value * 10.0**power for power in (*powers, floor(self._low)) for value in (1, 3)]
        return sorted({tick for tick in between if self._low <= log10(tick) <= self._high})


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashes}/>'


def _spot(x: float, y: float, colour: str, shape: str) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    turned = f' transform="rotate(45 {x:.1f} {y:.1f})"' if shape == "diamond" else ""
    return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" fill="{colour}"{turned}/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 11, colour: str = "#222"
) -> str:
    style = f'text-anchor="{anchor}" font-family="sans-serif" font-size="{size}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
