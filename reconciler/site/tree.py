"""A YAML text as a tree of texts, each with its exact range.

Built by ``site.compose``, read by everything in this room that needs a value together with its place.
Nothing is typed here: a scalar is its text. This module must not know the keys of a site.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.site.diagnostic import Diagnostic
from reconciler.site.place import Path, Place


class Scalar(NamedTuple):
    """A single value: its text, quotes and escapes resolved. ``plain``: written without quotes."""

    text: str
    place: Place
    plain: bool

    @property
    def missing(self) -> bool:
        """Nothing is written: ``key:`` and no more."""
        return self.plain and not self.text


class Unreadable(NamedTuple):
    """A value that is there but cannot be used; a finding already says why."""

    place: Place


@dataclass(slots=True)
class Listing:
    """A YAML sequence."""

    place: Place
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """A YAML mapping. ``written`` has every entry; the methods see the first one of each key."""

    place: Place
    written: list[tuple[Scalar, Node]] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)

    def add(self, key: Scalar, value: Node) -> None:
        """One more entry. A key that is not text (its finding says so) has no value to ask for."""
        if not key.missing:
            self.index.setdefault(key.text, len(self.written))
        self.written.append((key, value))

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        position = self.index.get(key)
        return None if position is None else self.written[position][1]

    def key(self, key: str) -> Scalar | None:
        """The key as it stands in the file."""
        position = self.index.get(key)
        return None if position is None else self.written[position][0]

    def repeated(self) -> Iterator[tuple[Scalar, Node]]:
        """Keys, with their values, that have stood in this mapping before."""
        for position, entry in enumerate(self.written):
            if self.index.get(entry[0].text, position) != position:
                yield entry

    def entries(self) -> Iterator[tuple[Scalar, Node]]:
        """Keys and values in the order of the file."""
        return (self.written[position] for position in self.index.values())


Node = Scalar | Unreadable | Listing | Table

Plain = str | list["Plain"] | dict[str, "Plain"]
"""What a tree says, without places."""


class Break(NamedTuple):
    """Where understanding ended. ``trail`` has the keys that lead there, each with the path of its mapping;
    the last one is ``open`` while its value is unread.
    """

    line: int
    column: int
    trail: tuple[tuple[Path, Scalar], ...]
    open: bool


@dataclass(slots=True)
class Document:
    """What a text says. ``root`` is None when it holds nothing, and partial when it is ``broken``."""

    root: Node | None = None
    findings: list[Diagnostic] = field(default_factory=list)
    broken: Break | None = None


def spots(root: Node) -> dict[Path, Place]:
    """Where each thing is declared: for a mapping's entry the place of its key, else that of the value."""
    found: dict[Path, Place] = {}
    _collect(root, (), found)
    return found


def node_at(root: Node, path: Path) -> Node | None:
    """The value at ``path``."""
    node: Node | None = root
    for step in path:
        node = None if node is None else _step(node, step)
    return node


def value_place(root: Node, path: Path) -> Place:
    """The place of the value at ``path``, or of the nearest value around it that exists."""
    node = root
    for step in path:
        inner = _step(node, step)
        if inner is None:
            break
        node = inner
    return node.place


def _step(node: Node, step: str | int) -> Node | None:
    if isinstance(node, Table) and isinstance(step, str):
        return node.get(step)
    if isinstance(node, Listing) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


def _collect(node: Node, path: Path, found: dict[Path, Place]) -> None:
    if isinstance(node, Table):
        for key, value in node.entries():
            here = (*path, key.text)
            found[here] = key.place
            _collect(value, here, found)
    elif isinstance(node, Listing):
        for position, item in enumerate(node.items):
            here = (*path, position)
            found[here] = item.place
            _collect(item, here, found)
