"""Reading a site again after an edit: what is known of a user holds for as long as its lines stay the same.

Of a text whose users stand apart (``site.segments``) only those whose lines are new are given to the parser,
at the lines where they stand: the others are replaced by empty lines, so that every place is right. What the
parser makes of that must look exactly as expected, or the whole text is read. Neighbours: ``site.load``,
whose findings and site must be the same either way. It must not know what a site is for, nor keep a text
longer than until the next one is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.site.compose import compose
from reconciler.site.facts import UserFacts, user_facts
from reconciler.site.place import Path, Place
from reconciler.site.segments import Segments, split
from reconciler.site.tree import Document, Table, spots
from reconciler.site.user import User


class Entry(NamedTuple):
    """What is known of a user: ``facts`` as of ``line``, where it was when it was read."""

    line: int
    facts: UserFacts
    user: User

    def at(self, line: int) -> Entry:
        """The same user on another line."""
        return self._replace(facts=self.facts._replace(below=line - self.line))


@dataclass(slots=True)
class Part:
    """A text of which only some users were parsed. ``entries`` are all users in the order of the file, None
    for those that ``document`` has; ``lines`` where each begins.
    """

    segments: Segments
    document: Document
    entries: list[Entry | None]
    lines: list[int]

    @property
    def whole(self) -> bool:
        """Whether the document has the whole text."""
        return None in self.entries and not any(self.entries)

    @property
    def root(self) -> Table:
        assert isinstance(self.document.root, Table)
        return self.document.root

    def facts(self) -> list[UserFacts] | None:
        """What the cross-checks want to know of all users; None when two have the same name."""
        table = self.root.get("users")
        assert isinstance(table, Table)
        parsed = iter(table.written)
        facts = [user_facts(*next(parsed)) if entry is None else entry.facts for entry in self.entries]
        return facts if len({one.name for one in facts}) == len(facts) else None

    def completed(self, facts: list[UserFacts], users: Mapping[str, User]) -> dict[str, Entry]:
        """Every user's entry by its lines; ``users`` are those of the document."""
        filled = (
            Entry(line, one, users[one.name]) if entry is None else entry
            for line, one, entry in zip(self.lines, facts, self.entries, strict=True)
        )
        return dict(zip(self.segments.users, filled, strict=True))


def part(text: str, known: Mapping[str, Entry]) -> Part | None:
    """Parse what is not ``known`` of a text without control characters; None when it cannot be told apart."""
    segments = split(text)
    if segments is None:
        return None
    lines: list[int] = []
    entries: list[Entry | None] = []
    pieces = [segments.head]
    line = 1 + segments.head.count("\n")
    for segment in segments.users:
        height = segment.count("\n")
        entry = known.get(segment)
        if entry is None:
            if not segments.simple(segment):
                return None
            pieces.append(segment)
        else:
            pieces.append("\n" * height)
            if entry.line + entry.facts.below != line:
                entry = entry.at(line)
        entries.append(entry)
        lines.append(line)
        line += height
    if all(entries):
        # A block without entries would not be one.
        pieces[1], entries[0] = segments.users[0], None
    document = compose("".join([*pieces, segments.tail]))
    fresh = [line for line, entry in zip(lines, entries, strict=True) if entry is None]
    return Part(segments, document, entries, lines) if _as_expected(document, segments, fresh) else None


def _as_expected(document: Document, segments: Segments, lines: list[int]) -> bool:
    """Whether the parser saw block mappings, and a user's name on each of these lines and nowhere else."""
    root = document.root
    if document.findings or document.broken is not None or not isinstance(root, Table):
        return False
    users = root.get("users")
    return (
        isinstance(users, Table)
        and len(root.index) == len(root.written)
        and _begins(root) == (root.written[0][0].place.line, 1)
        and _begins(users) == (lines[0], segments.column)
        and [key.place[:2] for key, _ in users.written] == [(line, segments.column) for line in lines]
        and not any(key.missing for key, _ in users.written)
    )


def _begins(table: Table) -> tuple[int, int]:
    return table.place.line, table.place.column


class Places(Mapping[Path, Place]):
    """Where each thing is declared, found when asked for. ``others`` go by other paths than their keys'."""

    def __init__(self, root: Table, entries: Mapping[str, Entry], others: Mapping[Path, Place]) -> None:
        self._root = root
        self._entries = entries
        self._others = others
        self._settings: dict[Path, Place] | None = None
        self._lines: dict[str, str] | None = None

    def __getitem__(self, path: Path) -> Place:
        if path in self._others:
            return self._others[path]
        if len(path) < 2 or path[0] != "users":
            return self._of_settings()[path]
        lines = self._of_users()[str(path[1])]
        facts = self._entries[lines].facts
        return facts.where(facts.key) if len(path) == 2 else self._inside(lines)[path]

    def __iter__(self) -> Iterator[Path]:
        yield from self._of_settings()
        yield from self._others
        for lines in self._of_users().values():
            yield from self._inside(lines)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _of_settings(self) -> dict[Path, Place]:
        if self._settings is None:
            found = spots(self._root)
            self._settings = {path: found[path] for path in found if len(path) < 2 or path[0] != "users"}
        return self._settings

    def _of_users(self) -> dict[str, str]:
        if self._lines is None:
            self._lines = {entry.facts.name: lines for lines, entry in self._entries.items()}
        return self._lines

    def _inside(self, lines: str) -> dict[Path, Place]:
        """The places in one user's lines, which are parsed for it."""
        entry = self._entries[lines]
        root = compose("users:\n" + lines).root
        assert root is not None
        offset = entry.line + entry.facts.below - 2
        return {path: place.moved(offset) for path, place in spots(root).items() if len(path) > 1}
