"""What a restarted engine needs to go on as if nothing had happened: SQLite under the runtime directory.

Written once a turn of the loop, in one transaction, before the frames of that turn leave, so that nobody is
ever told of a state that could be forgotten. It lives in memory-backed storage and dies with the machine's
boot. Users are sealed, since they have passwords: ``vault`` has the key. Neighbours: ``host`` writes,
``restore`` reads. It must not know what the values mean: it keeps JSON by name in a few tables.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Value = dict[str, Any] | list[Any] | str | float | None

VERSION = 2
"""Raised when an older engine could not read what a newer one has written."""
NAME = "journal.sqlite"
"""The journal's name inside the runtime directory."""
TABLES = ("facts", "users", "interfaces", "sessions")
SEALED = "users"
"""The table whose values are sealed, or, without a key, left out."""

_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
"""Half of what it takes as it is by default: one value a session is written."""

log = logging.getLogger("reconciler.engine")


class JournalVersionError(Exception):
    """A newer engine wrote this journal. It is left alone, and so are the sessions in it."""


class Vault(Protocol):
    """Seals values by name; None when there is no key, or another one (``engine.vault``)."""

    def seal(self, name: str, message: bytes) -> bytes | None: ...

    def open(self, name: str, sealed: bytes) -> bytes | None: ...

    def forget(self) -> None: ...


class Journal:
    """Tables of JSON values by name. ``put`` and ``remove`` are collected; ``commit`` writes them, or none.

    Subscribers come first: what cannot be written now, since the disk is full or read-only, is kept and tried
    again by ``retry``; ``trouble`` says so meanwhile. One that is damaged under way is given up.
    """

    def __init__(self, path: Path, boot: str, vault: Vault) -> None:
        """Open, or begin, the journal. Raises ``JournalVersionError``.

        One that is damaged, or of another ``boot`` of this machine, is set aside.
        """
        self._path = path
        self._vault = vault
        self._changes: dict[str, dict[str, Value]] = {table: {} for table in TABLES}
        self._database: sqlite3.Connection | None = None
        self.trouble = ""
        """Why it is behind what has happened; empty: it is not."""
        try:
            self._database = _open(path, boot)
        except (sqlite3.Error, OSError, ValueError) as error:
            log.warning("the journal cannot be read and is set aside: %s", error)
            self._database = _anew(path, boot)
            if self._database is None:
                self.trouble = "there is none"

    def load(self) -> dict[str, dict[str, Any]]:
        """Everything that is in it, by table and name; without what was sealed under a key that is gone."""
        if self._database is None:
            return {table: {} for table in TABLES}
        contents = {table: dict(_rows(self._database, table)) for table in TABLES if table != SEALED}
        return {**contents, SEALED: self._opened(self._database)}

    def put(self, table: str, name: str, value: Value) -> None:
        """Keep ``value`` (JSON) under this name."""
        self._changes[table][name] = value

    def remove(self, table: str, name: str) -> None:
        """Keep nothing under this name any more."""
        self._changes[table][name] = None

    def commit(self) -> None:
        """Write what has been collected. Then it survives the process, unless there is ``trouble``."""
        if not self.trouble:
            self._write_all()

    def retry(self) -> None:
        """In ``trouble``, try once more."""
        if self.trouble:
            self._write_all()

    def _write_all(self) -> None:
        if self._database is None:
            self._forget_changes()
        if self._database is None or not any(self._changes.values()):
            return
        try:
            with self._database:
                for table, changes in self._changes.items():
                    if changes:
                        self._write(table, changes)
        except sqlite3.Error as error:
            if not self.trouble:
                log.error("the journal cannot be written (%s): a restart would lose what is new", error)
            self.trouble = str(error)
            if not isinstance(error, sqlite3.OperationalError):
                self.close()
            return
        self._forget_changes()
        if self.trouble:
            log.warning("the journal is written again")
            self.trouble = ""

    def _forget_changes(self) -> None:
        for changes in self._changes.values():
            changes.clear()

    def discard(self) -> None:
        """Close the file and leave none, nor the key to it."""
        self.close()
        self._vault.forget()
        for name in (self._path, *_companions(self._path)):
            name.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; what was committed stays."""
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _write(self, table: str, changes: Mapping[str, Value]) -> None:
        assert self._database is not None
        texts = {name: _encode(value) for name, value in changes.items() if value is not None}
        sealed = self._sealed(texts) if table == SEALED else texts
        if sealed:
            kept = sealed.items()
            self._database.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", kept)  # noqa: S608 - our names
        gone = [(name,) for name in changes if name not in sealed]
        if gone:
            self._database.executemany(f"DELETE FROM {table} WHERE name = ?", gone)  # noqa: S608

    def _sealed(self, texts: Mapping[str, str]) -> dict[str, bytes]:
        sealed = {name: self._vault.seal(name, text.encode()) for name, text in texts.items()}
        return {name: value for name, value in sealed.items() if value is not None}

    def _opened(self, database: sqlite3.Connection) -> dict[str, Any]:
        rows = database.execute(f"SELECT name, value FROM {SEALED}").fetchall()  # noqa: S608 - our name
        texts = {name: self._vault.open(name, value) for name, value in rows if isinstance(value, bytes)}
        found = {name: json.loads(text) for name, text in texts.items() if text is not None}
        if len(found) < len(rows):
            log.warning("the key to %d users is gone: they have to be told again", len(rows) - len(found))
        return found


def check(path: Path) -> None:
    """Whether an engine of this version could go on with the journal, if there is one. Touches nothing.
    Raises ``JournalVersionError``.
    """
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        _refuse_newer(path, database.execute("PRAGMA user_version").fetchone()[0])


def _refuse_newer(path: Path, version: int) -> None:
    if version > VERSION:
        raise JournalVersionError(
            f"{path} was written by a newer engine (version {version}, this one reads {VERSION}): "
            "start that engine, or remove the file to begin without its sessions"
        )


def _open(path: Path, boot: str) -> sqlite3.Connection:
    if not path.exists():
        path.touch(mode=0o600)
    database = sqlite3.connect(path)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = OFF")  # the machine's end is the journal's end
        version = database.execute("PRAGMA user_version").fetchone()[0]
        _refuse_newer(path, version)
        if version == 0:
            _create(database, boot)
        elif version < VERSION:
            _upgrade(database)
        if dict(_rows(database, "facts")).get("boot") != boot:
            raise ValueError("it is of another boot of this machine")
    except BaseException:
        database.close()
        raise
    return database


def _create(database: sqlite3.Connection, boot: str) -> None:
    with database:
        for table in TABLES:
            database.execute(
                f"CREATE TABLE {table} (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
            )
        database.execute("INSERT INTO facts VALUES ('boot', ?)", (json.dumps(boot),))
        database.execute(f"PRAGMA user_version = {VERSION}")


def _upgrade(database: sqlite3.Connection) -> None:
    """Version 1 kept users as they are: they go, and so does every page that held them."""
    database.execute("PRAGMA secure_delete = ON")
    with database:
        database.execute(f"DELETE FROM {SEALED}")  # noqa: S608 - our name
        database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("VACUUM")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _anew(path: Path, boot: str) -> sqlite3.Connection | None:
    """Put the damaged journal out of the way, for whoever wants to look at it, and begin another."""
    with suppress(OSError):
        path.replace(path.with_suffix(".damaged"))
    for name in _companions(path):
        with suppress(OSError):
            name.unlink()
    try:
        return _open(path, boot)
    except (sqlite3.Error, OSError, ValueError) as error:
        log.error("no journal can be written (%s): a restart of the engine would end every session", error)
        return None


def _companions(path: Path) -> list[Path]:
    return [path.with_name(path.name + rest) for rest in ("-wal", "-shm")]


def _rows(database: sqlite3.Connection, table: str) -> list[tuple[str, Any]]:
    with closing(database.execute(f"SELECT name, value FROM {table}")) as rows:  # noqa: S608 - our names
        return [(name, json.loads(value)) for name, value in rows]
