"""The conformance items and the tests that show them: what ``docs/conformance.md`` is made of.

The items are in ``conformance.toml``; which tests show one is read from the tests' names
(``test_D25_D26_...`` shows D25 and D26), never written down a second time.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parent
ROOT = TESTS.parent

_CLAIM = re.compile(r"[A-Z]\d+")
_AUTOMATON = "L"


@dataclass(frozen=True, slots=True)
class Item:
    """One item; ``id`` is its group's letter and a number, or the letter alone."""

    id: str
    does: str
    source: str
    level: str
    deviation: str = ""
    waits: str = ""


class Shown(NamedTuple):
    """A test that shows an item: its file in the repository and what it says in words."""

    path: str
    says: str


def groups() -> dict[str, str]:
    """The groups' titles by their letters, in order."""
    return dict(_data()["groups"])


def items() -> dict[str, Item]:
    """Every item by its id, in order."""
    return {name: Item(name, **fields) for name, fields in _data().items() if name != "groups"}


def shown() -> dict[str, list[Shown]]:
    """The tests by the ids in their names, known or not."""
    found: dict[str, list[Shown]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for name in _tests(path):
            ids, says = _parse(name)
            for item in ids:
                found.setdefault(item, []).append(Shown(path.relative_to(ROOT).as_posix(), says))
    return found


def page() -> str:
    """``docs/conformance.md`` below its title."""
    known, tests = items(), shown()
    deviations = _links(item for item in known.values() if item.deviation)
    waiting = _links(item for item in known.values() if item.waits)
    counted = f"{len(known)} items. Deliberate deviations: {deviations}."
    parts = [f"{counted} Not there yet, in whole or in part: {waiting}."]
    for letter, title in groups().items():
        parts.append(f"## {title}")
        parts += [_section(item, tests.get(item.id, [])) for item in known.values() if item.id[0] == letter]
    return "\n\n".join(parts)


def _links(some: Iterable[Item]) -> str:
    return ", ".join(f"[{item.id}](#{item.id.lower()})" for item in some) or "none"


def _section(item: Item, tests: list[Shown]) -> str:
    lines = [f"### {item.id}", "", item.does, "", f"*{item.source}; {item.level}.*"]
    if item.deviation:
        lines += ["", f"**Deviation.** {item.deviation}"]
    if item.waits:
        lines += ["", f"**Not yet.** {item.waits}"]
    if tests:
        lines.append("")
    for path in dict.fromkeys(test.path for test in tests):
        says = "; ".join(dict.fromkeys(test.says for test in tests if test.path == path))
        lines.append(f"- [{path.removeprefix('tests/')}](../{path}): {says}")
    return "\n".join(lines)


def _data() -> dict[str, dict[str, str]]:
    return tomllib.loads((TESTS / "conformance.toml").read_text(encoding="utf-8"))


def _tests(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def _parse(name: str) -> tuple[list[str], str]:
    """The ids at the beginning of a test's name, and the rest as words."""
    words = name.split("_")[1:]
    ids = []
    while words and (_CLAIM.fullmatch(words[0]) or words[0] == _AUTOMATON):
        ids.append(words.pop(0))
    return ids, " ".join(words)
