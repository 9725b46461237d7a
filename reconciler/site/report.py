"""Findings as people and machines read them: text with the source lines, JSON, and annotations for GitHub.

Whatever is shown of the file comes from ``Source.excerpt``, which holds the secrets back. This module must
not know what is wrong with a site.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.site.diagnostic import Diagnostic
from reconciler.site.machine import FindingView, RangeView
from reconciler.site.place import Place
from reconciler.site.source import Excerpt, Source

_WIDEST: Final = 160
_RED, _YELLOW, _BLUE, _BOLD, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"

_STRONG: Final = {"error": _RED, "warning": _YELLOW, "note": _BLUE}


def as_text(findings: Iterable[Diagnostic], source: Source, *, colour: bool = False) -> str:
    """Every finding with its source lines, then a line that counts them. Empty when there are none."""
    all_of_them = tuple(findings)
    if not all_of_them:
        return ""
    blocks = [_block(finding, source, colour) for finding in all_of_them]
    return "\n".join([*blocks, summary(all_of_them, source.name), ""])


def summary(findings: Sequence[Diagnostic], name: str) -> str:
    """``site.yaml: 2 errors, 1 warning``."""
    counts = []
    for severity in ("error", "warning", "note"):
        count = sum(finding.severity == severity for finding in findings)
        if count:
            counts.append(f"{count} {severity}{'s' if count > 1 else ''}")
    return f"{name}: {', '.join(counts) or 'no findings'}"


def as_json(findings: Iterable[Diagnostic], name: str) -> list[FindingView]:
    """JSON-ready objects."""
    return [
        {
            "code": finding.code,
            "severity": finding.severity,
            "message": finding.message,
            "file": name,
            **_range(finding.place),
            "label": finding.label,
            "help": finding.help,
            "related": [
                {"file": name, **_range(related.place), "message": related.label}
                for related in finding.related
            ],
        }
        for finding in findings
    ]


def as_github(findings: Iterable[Diagnostic], name: str) -> str:
    """Workflow commands that annotate the lines of a pull request, one finding a line."""
    return "".join(_annotation(finding, name) for finding in findings)


def _annotation(finding: Diagnostic, name: str) -> str:
    properties = {"file": name, "title": finding.code}
    if finding.place is not None:
        place = finding.place
        properties |= {"line": str(place.line), "col": str(place.column)}
        if place.end_line == place.line:
            properties |= {"endLine": str(place.end_line), "endColumn": str(place.end_column)}
    listed = ",".join(f"{key}={_escape(value, ',:')}" for key, value in properties.items())
    message = finding.message + (f"\nhelp: {finding.help}" if finding.help else "")
    level = "notice" if finding.severity == "note" else finding.severity
    return f"::{level} {listed}::{_escape(message)}\n"


def _escape(text: str, more: str = "") -> str:
    for char in "%\r\n" + more:
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def _range(place: Place | None) -> RangeView:
    if place is None:
        return {"line": None, "column": None, "end_line": None, "end_column": None}
    return {
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    }


def _block(finding: Diagnostic, source: Source, colour: bool) -> str:
    """One finding, in the form that rustc made familiar."""

    def paint(text: str, *styles: str) -> str:
        return "".join(styles) + text + _PLAIN if colour and text else text

    strong = _STRONG[finding.severity]
    head = paint(f"{finding.severity}[{finding.code}]", _BOLD, strong)
    lines = [f"{head}{paint(f': {finding.message}', _BOLD)}"]
    where = f":{finding.place.line}:{finding.place.column}" if finding.place else ""
    lines.append(f"{paint('  -->', _BLUE)} {source.name}{where}")
    marks = [(related.place, "-", related.label, _BLUE) for related in finding.related]
    if finding.place is not None:
        marks.append((finding.place, "^", finding.label, strong))
    width = max((len(str(place.line)) for place, *_ in marks), default=0)
    gutter = paint(f"   {' ' * width} |", _BLUE)
    previous = 0
    for place, char, label, style in sorted(marks):
        excerpt = source.excerpt(place.line)
        if excerpt is None:
            continue
        shown, start, length = _window(excerpt, place)
        if place.line != previous:
            lines.append(f"{paint(f'   {place.line:>{width}} |', _BLUE)} {shown}".rstrip())
        previous = place.line
        mark = paint(f"{char * length} {label}".rstrip(), style)
        lines.append(f"{gutter} {' ' * start}{mark}")
    if finding.help:
        lines.append(f"  {paint('help', _BOLD)}: {finding.help}")
    return "\n".join([*lines, ""])


def _window(excerpt: Excerpt, place: Place) -> tuple[str, int, int]:
    """The part of a line to show, where its mark starts, and how long it is: at least one column, in one
    line.
    """
    columns = excerpt.columns
    last = len(columns) - 1
    first = min(place.column - 1, last)
    end = columns[min(place.end_column - 1, last)] if place.end_line == place.line else columns[last]
    length = max(1, end - columns[first])
    if columns[last] <= _WIDEST:
        return "".join(excerpt.pieces).rstrip(), columns[first], length
    left = bisect_left(columns, columns[first] - _WIDEST // 4)
    right = max(left + 1, bisect_right(columns, columns[left] + _WIDEST) - 1)
    text = "".join(excerpt.pieces[left:right]).rstrip()
    before, after = "..." if left else "", "..." if right < last else ""
    return before + text + after, columns[first] - columns[left] + len(before), min(length, _WIDEST // 2)
