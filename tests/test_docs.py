"""The documentation says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.generate import ROOT, references

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("name", list(references()))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == references()[name], "run ./dev docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_decision_is_listed() -> None:
    listing = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs/decisions").glob("0*.md"):
        assert f"({page.name})" in listing, page.name


def test_every_room_is_on_the_map() -> None:
    architecture = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = {init.parent for init in (ROOT / "reconciler").rglob("__init__.py")} - {ROOT / "reconciler"}
    for room in rooms:
        name = room.relative_to(ROOT / "reconciler").as_posix()
        assert f"`{name}/`" in architecture or f"`{name}" in architecture, f"{name} is not described"


def test_every_failure_mode_is_shown_by_a_test_that_exists() -> None:
    page = (ROOT / "docs/failure-modes.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)`: `(test_\w+)`", page)
    assert len(named) > 10
    for file, test in named:
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), f"{file}: {test}"
