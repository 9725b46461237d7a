"""What a benchmark found: tables and charts, as text for a terminal, as JSON, and as Markdown.

Numbers are kept as they were measured, and rounded only where they are shown. It must not know what was
measured.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of numbers under ``columns``, of which the first says what a row is about."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over a logarithmic axis: for each name its points, both coordinates above 0. ``goal`` is a value
    of y to be drawn as a line.
    """

    name: str
    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]
    goal: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One benchmark's findings."""

    name: str
    title: str
    about: str
    tables: list[Table]
    charts: list[Chart] = field(default_factory=list)


def shown(cell: Cell) -> str:
    """A cell as people read it: three significant digits."""
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def as_text(report: Report) -> str:
    """Tables for a terminal."""
    lines = [report.title, "=" * len(report.title)]
    for table in report.tables:
        cells = [table.columns, *(tuple(map(shown, row)) for row in table.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines += ["", table.title]
        for row in cells:
            first, *rest = row
            right = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
            lines.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
        lines += [table.note] if table.note else []
    return "\n".join(lines) + "\n"


def as_markdown(report: Report) -> str:
    """The same for a page, charts included; they lie beside it by their names."""
    lines = [f"## {report.title}", "", report.about]
    for table in report.tables:
        lines += ["", f"**{table.title}**", "", f"| {' | '.join(table.columns)} |"]
        lines.append("|---|" + "---:|" * (len(table.columns) - 1))
        lines += [f"| {' | '.join(map(shown, row))} |" for row in table.rows]
        lines += ["", table.note] if table.note else []
    for chart in report.charts:
        lines += ["", f"![{chart.title}](performance/{chart.name}.svg)"]
    return "\n".join(lines) + "\n"


def as_json(report: Report, machine: dict[str, Any]) -> dict[str, Any]:
    """Everything, and what it was measured on."""
    return {"format_version": 1, "machine": machine, **asdict(report)}


def from_json(document: dict[str, Any]) -> Report:
    """The inverse of :func:`as_json`, but for the machine."""
    tables = [
        Table(t["title"], tuple(t["columns"]), [tuple(r) for r in t["rows"]], t["note"])
        for t in document["tables"]
    ]
    charts = [
        Chart(
            **{
                **chart,
                "lines": {name: [(x, y) for x, y in points] for name, points in chart["lines"].items()},
            }
        )
        for chart in document["charts"]
    ]
    return Report(document["name"], document["title"], document["about"], tables, charts)
