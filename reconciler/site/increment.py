"""Reading a site user by user: what is known of one holds for as long as its lines stay the same.

Of a text whose users stand apart (``site.segments``) only those whose lines are new are read, and of these
only those that are not ``site.ordinary`` are given to the parser, at the lines where they stand: the others
are replaced by empty lines, so that every place is right. What the parser makes of that must look exactly as
expected, or the whole text is read. Neighbours: ``site.load``, whose findings and site must be the same
either way. It must not know what a site is for, nor keep a text longer than until the next one is read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple, TypeVar

from reconciler.site.compose import compose
from reconciler.site.diagnostic import Diagnostic
from reconciler.site.facts import UserFacts, user_facts
from reconciler.site.ordinary import Ordinary, read
from reconciler.site.place import Path, Place
from reconciler.site.segments import Again, Segments, split, split_again
from reconciler.site.tree import Document, Node, Plain, Table, spots
from reconciler.site.user import User

T = TypeVar("T")


class Entry(NamedTuple):
    """What is known of a user from its ``text``: ``facts`` as of ``line``, where it was when it was read."""

    text: str
    line: int
    facts: UserFacts
    user: User

    def further(self, lines: int) -> Entry:
        """The same user so many lines further down."""
        return Entry(self.text, self.line, self.facts.further(lines), self.user)

    @property
    def now(self) -> int:
        """The line where it is now."""
        return self.line + self.facts.below


@dataclass(frozen=True, slots=True)
class Known:
    """The last text that was right, its users in its order, and what the cross-checks had found."""

    text: str
    segments: Segments
    entries: list[Entry]
    users: dict[str, User]
    end: int
    """The line on which the users end."""
    crossed: tuple[Diagnostic, ...]

    def again(self, text: str) -> Again | None:
        """Another text, as far as it is not this one."""
        starts = list(accumulate(map(len, self.segments.users), initial=len(self.segments.head)))
        return split_again(text, self.text, self.segments, starts)


@dataclass(slots=True)
class Part:
    """A text of which only some users were parsed: those that ``document`` has, None in ``middle``; the
    others there are known, or were read without the parser. Before and after it are users who stand where
    ``known`` has them, or all further down by as many lines.
    """

    known: Known | None
    segments: Segments
    document: Document
    before: list[Entry]
    middle: list[Entry | Ordinary | None]
    after: list[Entry]
    lines: list[int]
    """Where each of the middle begins."""
    end: int

    @property
    def whole(self) -> bool:
        """Whether the document has the whole text."""
        return not (self.before or self.after or any(self.middle))

    @property
    def root(self) -> Table:
        assert isinstance(self.document.root, Table)
        return self.document.root

    def facts(self) -> list[UserFacts] | None:
        """What the cross-checks want to know of the middle; None when two users have the same name."""
        table = self.root.get("users")
        assert isinstance(table, Table)
        parsed = iter(table.written)
        facts = [user_facts(*next(parsed)) if one is None else one.facts for one in self.middle]
        if self._as_before(facts):
            return facts
        names = [one.name for one in self.everybody(facts)]
        return facts if len(set(names)) == len(names) else None

    def with_parsed(self, names: Collection[str]) -> Part | None:
        """The same, of which these users were parsed, too; None when the parser saw anything else."""
        middle = [
            None if isinstance(one, Ordinary) and one.facts.name in names else one for one in self.middle
        ]
        return _part(self.known, self.segments, self.before, middle, self.after, self.lines, self.end)

    def said(self) -> dict[str, Plain]:
        """What the users say who were read without the parser, by name."""
        return {one.facts.name: one.said for one in self.middle if isinstance(one, Ordinary)}

    def everybody(self, facts: list[UserFacts]) -> list[UserFacts]:
        """The same of all users; ``facts`` are those of the middle."""
        before, after = ([entry.facts for entry in entries] for entries in (self.before, self.after))
        return [*before, *facts, *after]

    def crossed(self, facts: list[UserFacts]) -> tuple[Diagnostic, ...] | None:
        """What the cross-checks find; None: they have to look."""
        known, now = self.known, self.segments
        if known is None or known.end != self.end:
            return None
        around = (known.segments.head, known.segments.tail) == (now.head, now.tail)
        return known.crossed if around and facts == [entry.facts for entry in self._was()] else None

    def completed(
        self, text: str, facts: list[UserFacts], users: Mapping[str, User], crossed: tuple[Diagnostic, ...]
    ) -> Known:
        """What is known of this text from now on; ``users`` are those who are new in it."""
        middle = [
            was if isinstance(was, Entry) else Entry(lines, line, one, users[one.name])
            for lines, line, one, was in zip(
                _between(self.segments.users, len(self.before), len(self.after)),
                self.lines,
                facts,
                self.middle,
                strict=True,
            )
        ]
        entries = [*self.before, *middle, *self.after]
        if self.known and self._as_before(facts):
            now = {**self.known.users, **{entry.facts.name: entry.user for entry in middle}}
        else:
            now = {entry.facts.name: entry.user for entry in entries}
        return Known(text, self.segments, entries, now, self.end, crossed)

    def _as_before(self, facts: list[UserFacts]) -> bool:
        """Whether the middle has the same names as before."""
        was = self._was()
        return len(facts) == len(was) and [one.name for one in facts] == [entry.facts.name for entry in was]

    def _was(self) -> Sequence[Entry]:
        """The middle as it was known."""
        return _between(self.known.entries, len(self.before), len(self.after)) if self.known else ()


def part(text: str, known: Known | None) -> Part | None:
    """Parse what is not ``known`` of a text without control characters; None when it cannot be told apart."""
    again = known.again(text) if known else None
    segments = again.segments if again else split(text)
    if segments is None:
        return None
    old = known.entries if known else []
    before, after = (again.before, again.after) if again else (0, 0)
    # One user who is known is parsed with the others: a block without entries would not be one.
    before -= before > 0
    after -= before + after == len(segments.users)
    line = old[before].now if before else 1 + segments.head.count("\n")
    middle: list[Entry | Ordinary | None] = []
    lines: list[int] = []
    remembered = {entry.text: entry for entry in _between(old, before, after)}
    for user in _between(segments.users, before, after):
        entry = remembered.get(user)
        if entry is not None:
            middle.append(entry if entry.now == line else entry.further(line - entry.now))
        else:
            middle.append(read(user, line, segments.column))
            if middle[-1] is None and not segments.simple(user):
                return None
        lines.append(line)
        line += user.count("\n")
    if all(middle):
        middle[0] = None
    rest = old[len(old) - after :]
    if rest and (further := line - rest[0].now):
        rest = [entry.further(further) for entry in rest]
    end = line + "".join(segments.users[len(segments.users) - after :]).count("\n")
    return _part(known, segments, old[:before], middle, rest, lines, end)


def _part(
    known: Known | None,
    segments: Segments,
    before: list[Entry],
    middle: list[Entry | Ordinary | None],
    after: list[Entry],
    lines: list[int],
    end: int,
) -> Part | None:
    """Parse the users who are None in the ``middle``, at the lines where they stand."""
    pieces, told = [segments.head], 1 + segments.head.count("\n")
    users = _between(segments.users, len(before), len(after))
    for user, line, one in zip(users, lines, middle, strict=True):
        if one is None:
            pieces += ["\n" * (line - told), user]
            told = line + user.count("\n")
    document = compose("".join([*pieces, "\n" * (end - told), segments.tail]))
    piece = Part(known, segments, document, before, middle, after, lines, end)
    return piece if _as_expected(piece) else None


def _between(everybody: list[T], before: int, after: int) -> list[T]:
    """All but so many at either end."""
    return everybody[before : len(everybody) - after]


def _as_expected(piece: Part) -> bool:
    """Whether the parser saw block mappings, and users' names where they are to be and nowhere else."""
    document, column = piece.document, piece.segments.column
    lines = [line for line, entry in zip(piece.lines, piece.middle, strict=True) if entry is None]
    root = document.root
    if document.findings or document.broken is not None or not isinstance(root, Table):
        return False
    users = root.get("users")
    return (
        isinstance(users, Table)
        and len(root.index) == len(root.written)
        and _begins(root) == (root.written[0][0].place.line, 1)
        and _begins(users) == (lines[0], column)
        and [key.place[:2] for key, _ in users.written] == [(line, column) for line in lines]
        and not any(key.missing for key, _ in users.written)
    )


def _begins(table: Table) -> tuple[int, int]:
    return table.place.line, table.place.column


class Places(Mapping[Path, Place]):
    """Where each thing is declared, found when asked for. ``others`` go by other paths than their keys'."""

    def __init__(self, root: Table, known: Known, others: Mapping[Path, Place]) -> None:
        self._root = root
        self._users, self._entries = known.users, known.entries
        self._others = others
        self._settings: dict[Path, Place] | None = None
        self._by_name: dict[str, Entry] | None = None

    def __getitem__(self, path: Path) -> Place:
        if path in self._others:
            return self._others[path]
        if len(path) < 2 or path[0] != "users":
            return self._of_settings()[path]
        entry = self._of_users()[str(path[1])]
        return entry.facts.where(entry.facts.key) if len(path) == 2 else _inside(entry)[path]

    def __iter__(self) -> Iterator[Path]:
        yield from self._of_settings()
        yield from self._others
        for entry in self._entries:
            yield from _inside(entry)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _of_settings(self) -> dict[Path, Place]:
        if self._settings is None:
            found = spots(self._root)
            self._settings = {path: found[path] for path in found if len(path) < 2 or path[0] != "users"}
        return self._settings

    def _of_users(self) -> dict[str, Entry]:
        if self._by_name is None:
            self._by_name = dict(zip(self._users, self._entries, strict=True))
        return self._by_name


def _inside(entry: Entry) -> dict[Path, Place]:
    """The places in one user's lines, which are parsed for it."""
    root, below = _alone(entry.text, entry.now)
    return {path: place.moved(below) for path, place in spots(root).items() if len(path) > 1}


class Beside:
    """Finds the user who stands on a line, of users each of whom can be read apart."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._begins: list[int] | None = None

    def __call__(self, line: int) -> tuple[Node, int] | None:
        """The user as a site of its own, and how many lines further down than there."""
        if self._begins is None:
            heights = (user.count("\n") for user in self._segments.users)
            self._begins = list(accumulate(heights, initial=1 + self._segments.head.count("\n")))
        position = bisect_right(self._begins, line) - 1
        if not 0 <= position < len(self._segments.users):
            return None
        return _alone(self._segments.users[position], self._begins[position])


def _alone(user: str, line: int) -> tuple[Node, int]:
    """A site that has only the user whose lines begin at ``line``, and how much further down they are."""
    root = compose("users:\n" + user).root
    assert root is not None
    return root, line - 2
