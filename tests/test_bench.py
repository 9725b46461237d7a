"""The benchmarks' frame: what is shown is what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import __main__ as bench
from bench import chart
from bench.report import Chart, Report, Table, as_json, as_markdown, as_text, from_json

REPORT = Report(
    "some",
    "Some thing",
    "About it.",
    [Table("How many", ("users", "ms", "limit"), [(100, 1.234, "engine"), (100_000, 1234.5, None)])],
    [Chart("some", "Some & thing", "users", "ms", {"one": [(100, 1.2), (100_000, 1234.5)]}, goal=150.0)],
)


def test_a_table_is_lined_up_and_rounded_where_it_is_shown() -> None:
    *_, title, head, first, second = as_text(REPORT).splitlines()
    assert title == "How many"
    assert head == "users       ms   limit"
    assert first == "100       1.23  engine"
    assert second == "100,000  1,234       -"


def test_what_is_kept_is_read_back() -> None:
    document = json.loads(json.dumps(as_json(REPORT, {"cores": 2})))
    assert from_json(document) == REPORT
    assert document["machine"] == {"cores": 2}


def test_a_page_shows_tables_and_charts() -> None:
    page = as_markdown(REPORT)
    assert "| 100,000 | 1,234 | - |" in page
    assert "![Some & thing](performance/some.svg)" in page


def test_a_chart_is_a_drawing_with_every_point_and_a_goal() -> None:
    root = ElementTree.fromstring(chart.svg(REPORT.charts[0]))
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}circle")) == 3, "two points, and one in the legend"
    words = [element.text for element in root.findall(f"{space}text")]
    assert "Some & thing" in words
    assert "goal 150" in words


@pytest.mark.parametrize("name", bench.NAMES)
def test_every_benchmark_has_its_place_on_the_page(name: str) -> None:
    page = bench.PAGE.read_text()
    assert f"`./dev bench {name}`" in page
    begin, end = page.index(f"<!-- {name} -->"), page.index(f"<!-- end of {name} -->")
    kept = bench.PUBLISHED / f"{name}.json"
    assert kept.exists() == bool(page[begin:end].removeprefix(f"<!-- {name} -->").strip())
    if kept.exists():
        document = json.loads(kept.read_text())
        assert bench.section(document) in page, "`./dev bench --publish` writes it anew"
        for one in document["charts"]:
            assert Path(bench.PUBLISHED / f"{one['name']}.svg").exists()
