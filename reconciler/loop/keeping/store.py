"""What the reconciler must know after a restart, in one SQLite file of the state directory.

Generations (``keeping.generations``), the state last applied (by which drift is told from a wish), and the
kernel's values from before our first write. Passwords are never here in clear: only their keyed fingerprints,
and the contents of generations, sealed; either key is a file of its own. Values of the kernel and the applied
state belong to one boot of the machine and are forgotten with it. It must not know what a path means.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from reconciler.differing import difference
from reconciler.loop.keeping import generations
from reconciler.loop.keeping.generations import Generations
from reconciler.loop.reading.boxkey import BoxKey
from reconciler.plan.state import State, Value

FILE = "state.db"
KEY_FILE = "fingerprint.key"
_KEY_OCTETS = 32
_VERSION = 2
_SCHEMA = """
CREATE TABLE applied (path TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE kernel (path TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class StoreError(Exception):
    """The state directory cannot be used. One line that says what to do."""


class Store:
    """The file, open. Not thread-safe: its users take turns."""

    def __init__(self, database: sqlite3.Connection, key: bytes, box: BoxKey, boot: str) -> None:
        self._database = database
        self.key = key
        """For the passwords' fingerprints."""
        self.box = box
        """Seals what nobody may read."""
        self.boot = boot
        self.generations = Generations(database, self.transaction)
        self._applied: dict[str, Value] | None = None
        if self.fact("boot") != boot:
            with self.transaction():
                database.execute("DELETE FROM kernel")
                database.execute("DELETE FROM applied")
                self._set_fact("boot", boot)

    @classmethod
    def open(cls, directory: Path, boot: str) -> Self:
        """The store in ``directory``, made if missing. ``boot`` tells one boot of the machine from another.

        Raises :class:`StoreError`.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = _key(directory / KEY_FILE)
            return cls(_opened(directory / FILE), key, BoxKey(directory), boot)
        except OSError as error:
            advice = "run as root, or choose another --state-dir"
            raise StoreError(f"cannot keep state in {directory}: {error.strerror}: {advice}") from None
        except sqlite3.OperationalError as error:
            raise StoreError(_unwritable(directory / FILE, error)) from None
        except sqlite3.Error as error:
            advice = "move it away to start without history"
            raise StoreError(f"{directory / FILE} cannot be used ({error}): {advice}") from None

    @classmethod
    def peek(cls, directory: Path, boot: str) -> Self:
        """A copy in memory, to plan with: what is done to it is lost. Empty if the file cannot be read."""
        copy = _made(sqlite3.connect(":memory:"))
        key = secrets.token_bytes(_KEY_OCTETS)
        with suppress(OSError, sqlite3.Error):
            key = (directory / KEY_FILE).read_bytes()
            original = sqlite3.connect(f"file:{directory / FILE}?mode=ro", uri=True)
            original.backup(copy)
            original.close()
        return cls(copy, key, BoxKey(directory), boot)

    def close(self) -> None:
        self._database.close()

    # The state last applied.

    def applied(self) -> State:
        """What was in force when we last looked and found it right."""
        if self._applied is None:
            rows = self._database.execute("SELECT path, value FROM applied")
            self._applied = {path: json.loads(value) for path, value in rows}
        return self._applied

    def set_applied(self, state: State) -> None:
        """Writes what differs only: a site has thousands of users, an edit touches one."""
        old = self.applied()
        new, gone = difference(old, state)
        changed = [
            (path, json.dumps(state[path], default=dict)) for path in new if old.get(path) != state[path]
        ]
        if changed or gone:
            with self.transaction() as database:
                database.executemany("INSERT OR REPLACE INTO applied VALUES (?, ?)", changed)
                database.executemany("DELETE FROM applied WHERE path = ?", [(path,) for path in gone])
            self._applied = dict(state)

    # The kernel's values from before our first write (resources.sysctl.Memory).

    def remembered(self) -> Mapping[str, int]:
        return dict(self._database.execute("SELECT path, value FROM kernel"))

    def remember(self, path: str, value: int) -> None:
        with self.transaction() as database:
            database.execute("INSERT OR IGNORE INTO kernel VALUES (?, ?)", (path, value))

    def forget(self, path: str) -> None:
        with self.transaction() as database:
            database.execute("DELETE FROM kernel WHERE path = ?", (path,))

    # Single facts.

    def fact(self, name: str) -> str | None:
        """A single value by name, None if never set."""
        row = self._database.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_fact(self, name: str, value: str) -> None:
        if self.fact(name) != value:
            with self.transaction():
                self._set_fact(name, value)

    def _set_fact(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    @contextmanager
    def transaction(self, *, lasting: bool = False) -> Iterator[sqlite3.Connection]:
        """All that is written within is written together, or not at all. ``lasting``: a power cut does not
        undo it either. Raises :class:`StoreError`.
        """
        if self._database.in_transaction:
            yield self._database
            return
        if lasting:
            self._database.execute("PRAGMA synchronous = FULL")
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                yield self._database
        except sqlite3.OperationalError as error:
            raise StoreError(_unwritable(FILE, error)) from None
        finally:
            if lasting:
                self._database.execute("PRAGMA synchronous = NORMAL")


def _unwritable(file: Path | str, error: sqlite3.OperationalError) -> str:
    return f"{file} cannot be written ({error}): see to the room and permissions of the state directory"


def _opened(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    # Written by whoever has the loop's turn: the main thread, or one of the API's.
    database = sqlite3.connect(path, check_same_thread=False)
    # A lost write after a power cut seldom matters: the state applied dies with the boot, and what is desired
    # is read again. What does matter asks for more (``transaction``).
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    return _made(database)


def _made(database: sqlite3.Connection) -> sqlite3.Connection:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    steps = {0: generations.SCHEMA + _SCHEMA, 1: generations.FROM_1}
    if version in steps:
        database.executescript(f"BEGIN; {steps[version]} PRAGMA user_version = {_VERSION}; COMMIT;")
    elif version != _VERSION:
        raise sqlite3.DatabaseError(f"it has format {version}, this program writes {_VERSION}")
    return database


def _key(path: Path) -> bytes:
    """The key in a file. One that a full disk cut short is none: whoever reads its length could guess it."""
    with suppress(FileNotFoundError):
        key = path.read_bytes()
        if len(key) == _KEY_OCTETS:
            return key
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_KEY_OCTETS))
    beside.replace(path)
    return path.read_bytes()
