"""The machine's clock may be set at any time: what waits is timed by one that only goes forward, and the
other is for telling people.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.generate import ROOT

WALL = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "time.localtime", "time.gmtime"}

TELLING = {
    "engine/views.py": "when a session began, and when an event happened, for who is shown it",
    "log.py": "how a log line's own time is written",
    "loop/reconcile.py": "the clock that conditions, history and events are dated by",
    "loop/run.py": "the same",
    "preview.py": "the same, for a dry run without a daemon",
}
"""Where the two daemons read the wall clock, and what for: none of these waits by it."""

APART = {"cli", "lab", "probe"}
"""Rooms that run for a moment, before somebody's eyes."""


def readings(path: Path) -> Iterator[str]:
    """The names by which a file reads the wall clock."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"time.{one.name}" for one in node.names if f"time.{one.name}" in WALL)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in WALL:
                yield name


def test_the_wall_clock_is_read_for_telling_and_never_for_waiting() -> None:
    package = ROOT / "reconciler"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] not in APART and any(True for _ in readings(path))
    }
    assert found == TELLING.keys(), "wait by time.monotonic, or say here what it is for"
