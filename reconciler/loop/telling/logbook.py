"""Keeps the log of events through a restart of the daemon, in a small SQLite file of the runtime directory.

The runtime directory is memory: writing costs no flash, and a reboot begins anew. A thread writes what came,
many at once when much comes; an event of the last tenth of a second may be lost with the process. It must not
know what an event means.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from reconciler.loop.telling.events import KEPT, Events, Numbered

FILE: Final = "events.db"
"""The file's name inside the runtime directory."""

_PACE: Final = 0.1
"""Seconds between two writes."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS listening (since REAL NOT NULL);
"""

log = logging.getLogger("reconciler")


class Logbook:
    """What is kept of ``events``. What was kept before is read back by :meth:`start`, which is told the time
    (Unix time).
    """

    def __init__(self, runtime_dir: Path, events: Events) -> None:
        self._path = runtime_dir / FILE
        self._events = events
        self._written = 0
        self._closing = threading.Event()
        self._database: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="event-log", daemon=True)

    def start(self, now: float) -> None:
        """Read back what was kept, and keep what comes. A file that cannot be used is replaced."""
        try:
            self._open(now)
        except (sqlite3.Error, ValueError):
            self._close()
            for name in (self._path, *(self._path.with_name(f"{FILE}-{part}") for part in ("wal", "shm"))):
                name.unlink(missing_ok=True)
            try:
                self._open(now)
            except sqlite3.Error as error:
                self._close()
                log.warning("events are not kept through a restart: %s", error)
                return
        self._thread.start()

    def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._write()
        self._close()

    def _open(self, now: float) -> None:
        self._path.touch(mode=0o600)
        database = self._database = sqlite3.connect(self._path, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = OFF")
        database.executescript(_SCHEMA)
        rows = database.execute("SELECT number, body FROM event ORDER BY number").fetchall()
        since = database.execute("SELECT min(since) FROM listening").fetchone()[0]
        if since is None:
            with database:
                database.execute("INSERT INTO listening VALUES (?)", (now,))
        kept = [Numbered(number, json.loads(body)) for number, body in rows]
        self._events.restore(kept, now if since is None else since)
        self._written = self._events.last

    def _run(self) -> None:
        while not self._closing.wait(_PACE) and not self._events.closed:
            if self._events.after(self._written, 1.0):
                self._write()

    def _write(self) -> None:
        new: Sequence[Numbered] = self._events.after(self._written)
        if not new or self._database is None:
            return
        try:
            with self._database as database:
                rows = [(number, json.dumps(event, separators=(",", ":"))) for number, event in new]
                database.executemany("INSERT OR REPLACE INTO event VALUES (?, ?)", rows)
                database.execute("DELETE FROM event WHERE number <= ?", (new[-1].number - KEPT,))
            self._written = new[-1].number
        except sqlite3.Error as error:
            log.warning("events are not kept through a restart: %s", error)
            self._close()

    def _close(self) -> None:
        if self._database:
            with suppress(sqlite3.Error):
                self._database.close()
        self._database = None
