"""The generations that were wished for: their numbers, where each came from, and what became of it.

Rows of the store's database. Of a generation that was let through there is also its content, sealed, and a
record of its plan and results; both go when they are old, large, or too many. It must not know how content is
sealed, nor what a record says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

KEPT: Final = 100
"""Generations whose content is kept, those in use included."""

ROOM: Final = 64 << 20
"""Octets that kept contents and records may take in all."""

LISTED: Final = 1000
"""Generations of which at least the row is kept."""

SCHEMA: Final = """
CREATE TABLE generation (
    number INTEGER PRIMARY KEY, digest TEXT NOT NULL, sha256 TEXT NOT NULL, "commit" TEXT,
    dirty INTEGER, created REAL NOT NULL, applied REAL,
    author TEXT, origin TEXT NOT NULL DEFAULT 'file', source INTEGER, by TEXT NOT NULL DEFAULT '',
    outcome TEXT
);
CREATE TABLE content (number INTEGER PRIMARY KEY, sealed BLOB NOT NULL, record BLOB NOT NULL);
"""
FROM_1: Final = """
ALTER TABLE generation ADD COLUMN author TEXT;
ALTER TABLE generation ADD COLUMN origin TEXT NOT NULL DEFAULT 'file';
ALTER TABLE generation ADD COLUMN source INTEGER;
ALTER TABLE generation ADD COLUMN by TEXT NOT NULL DEFAULT '';
ALTER TABLE generation ADD COLUMN outcome TEXT;
CREATE TABLE content (number INTEGER PRIMARY KEY, sealed BLOB NOT NULL, record BLOB NOT NULL);
"""

Origin = Literal["file", "rollback", "undo"]
Outcome = Literal["confirmed", "undone"]


class Cause(NamedTuple):
    """How a generation came to be: from the ``file``, or from the generation ``source`` by a rollback or by
    an undo. ``by`` is who asked, empty where nobody did.
    """

    origin: Origin = "file"
    source: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """One state that the operator wished for. ``digest`` tells it from the others; ``sha256``, ``commit``,
    ``author`` and ``dirty`` are the file's; times are Unix time, ``applied`` None until it was reached once.
    ``outcome`` is that of a change that had to be confirmed.
    """

    number: int
    digest: str
    sha256: str
    commit: str | None
    dirty: bool | None
    created: float
    applied: float | None = None
    author: str | None = None
    cause: Cause = Cause()  # noqa: RUF009 - a constant
    outcome: Outcome | None = None


class Generations:
    """The rows. ``transaction`` is the store's."""

    def __init__(
        self,
        database: sqlite3.Connection,
        transaction: Callable[[], AbstractContextManager[sqlite3.Connection]],
    ) -> None:
        self._database = database
        self._transaction = transaction

    def latest(self) -> Generation | None:
        """The newest generation."""
        return next(self._rows("ORDER BY number DESC LIMIT 1"), None)

    def get(self, number: int) -> Generation | None:
        """The generation of that number."""
        return next(self._rows("WHERE number = ?", number), None)

    def newest(self, most: int) -> list[Generation]:
        """At most so many, the newest first."""
        return list(self._rows("ORDER BY number DESC LIMIT ?", most))

    def add(self, generation: Generation) -> None:
        cause = generation.cause
        values = (
            generation.number,
            generation.digest,
            generation.sha256,
            generation.commit,
            generation.dirty,
            generation.created,
            generation.applied,
            generation.author,
            cause.origin,
            cause.source,
            cause.by,
            generation.outcome,
        )
        with self._transaction() as database:
            database.execute(f"INSERT INTO generation VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608

    def describe(self, number: int, commit: str, author: str, *, dirty: bool) -> None:
        """Which commit generation ``number`` was made from, and whose that is."""
        self._set(number, '"commit" = ?, author = ?, dirty = ?', commit, author, dirty)

    def mark_applied(self, number: int, now: float) -> None:
        """Generation ``number`` was reached at ``now`` (Unix time)."""
        self._set(number, "applied = ?", now)

    def conclude(self, number: int, outcome: Outcome) -> None:
        """What became of a generation that had to be confirmed."""
        self._set(number, "outcome = ?", outcome)

    # Contents and records.

    def keep(self, number: int, sealed: bytes, record: bytes, in_use: Iterable[int]) -> None:
        """Keep the content of a generation and what is told of it. What is too old or too much then goes, but
        never that of a generation ``in_use``, nor of this one.
        """
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO content VALUES (?, ?, ?)", (number, sealed, record))
            self._make_room({number, *in_use})

    def rewrite(self, number: int, record: bytes) -> None:
        """Another record of a generation whose content is kept."""
        with self._transaction() as database:
            database.execute("UPDATE content SET record = ? WHERE number = ?", (record, number))

    def sealed(self, number: int) -> bytes | None:
        """The content of a generation, as it was sealed; None if it is not kept."""
        return self._blob("sealed", number)

    def record(self, number: int) -> bytes | None:
        """What is told of a generation; None if it is not kept."""
        return self._blob("record", number)

    def kept(self) -> set[int]:
        """The generations whose content is kept."""
        return {number for (number,) in self._database.execute("SELECT number FROM content")}

    def _blob(self, column: Literal["sealed", "record"], number: int) -> bytes | None:
        query = f"SELECT {column} FROM content WHERE number = ?"  # noqa: S608 - our own words
        row = self._database.execute(query, (number,)).fetchone()
        return row[0] if row else None

    def _make_room(self, in_use: set[int]) -> None:
        sizes = "SELECT number, length(sealed) + length(record) FROM content ORDER BY number DESC"
        rows = self._database.execute(sizes).fetchall()
        rows.sort(key=lambda row: row[0] not in in_use)
        taken = 0
        for position, (number, size) in enumerate(rows):
            taken += size
            if number not in in_use and (position >= KEPT or taken > ROOM):
                self._database.execute("DELETE FROM content WHERE number = ?", (number,))
        listed = self._database.execute("SELECT max(number) FROM generation").fetchone()[0] or 0
        spared = in_use | self.kept()
        old = self._database.execute("SELECT number FROM generation WHERE number <= ?", (listed - LISTED,))
        gone = [row for row in old.fetchall() if row[0] not in spared]
        self._database.executemany("DELETE FROM generation WHERE number = ?", gone)

    def _set(self, number: int, what: str, *values: object) -> None:
        with self._transaction() as database:
            database.execute(f"UPDATE generation SET {what} WHERE number = ?", (*values, number))  # noqa: S608

    def _rows(self, clause: str, *values: int) -> Iterator[Generation]:
        query = (
            'SELECT number, digest, sha256, "commit", dirty, created, applied, author, origin, source, by,'  # noqa: S608
            f" outcome FROM generation {clause}"
        )
        for row in self._database.execute(query, values):
            number, digest, sha256, commit, dirty, created, applied, author, origin, source, by, outcome = row
            yield Generation(
                number,
                digest,
                sha256,
                commit,
                None if dirty is None else bool(dirty),
                created,
                applied,
                author,
                Cause(origin, source, by),
                outcome,
            )
