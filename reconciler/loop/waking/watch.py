"""Tells when files may have changed, however they are replaced: in place, by rename, behind swapped symlinks.

What it tells is a hint: whoever gets it reads and compares, and does so every few seconds anyway, which
covers what the kernel does not tell. A file is watched through the directories of every link on the way to
it, since replacing a link, or a directory, tells nobody who watches what it led to. It must not open the
files themselves.

Where the kernel refuses to watch (its limits are reached, or there is no inotify) the mode is ``poll``, and
the caller looks more often. The log says so, once, and it is tried again every minute.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

_MOST_LINKS = 40
"""As many symbolic links as the kernel follows in one path (path_resolution(7))."""

_QUIET = frozenset({"opened", "closed_no_write"})
"""Events that our own reading causes."""

RETRY = 60.0
"""Seconds until the kernel is asked again to tell."""

_LIMITS = {
    errno.EMFILE: "the limit fs.inotify.max_user_instances is reached",
    errno.ENOSPC: "the limit fs.inotify.max_user_watches is reached",
}

Identity = tuple[int, int]

log = logging.getLogger("reconciler")


def waypoints(path: Path) -> tuple[Path, ...]:
    """Every name whose replacement changes what ``path`` leads to: its links, the file and its directory.

    Works on paths that do not exist (yet); a loop of links ends where the kernel's patience does.
    """
    found: dict[Path, None] = {}
    pending = list(reversed(Path(os.path.abspath(path)).parts))  # noqa: PTH100 - resolve() would follow links
    at = Path(pending.pop())
    links = 0
    while pending:
        part = pending.pop()
        if part == "..":
            at = at.parent
            continue
        here = at / part
        target = _link(here)
        if target is not None and links < _MOST_LINKS:
            links += 1
            found[here] = None
            parts = target.parts
            if target.is_absolute():
                at, parts = Path(parts[0]), parts[1:]
            pending.extend(reversed(parts))
        else:
            at = here
    found[at.parent] = None
    found[at] = None
    return tuple(found)


def _link(path: Path) -> Path | None:
    try:
        return path.readlink()
    except OSError:
        return None


def _directory(path: Path) -> tuple[Path, Identity] | None:
    """The nearest directory above ``path`` that exists, and its identity."""
    for parent in path.parents:
        with suppress(OSError):
            status = parent.stat()
            return parent, (status.st_dev, status.st_ino)
    return None


class Watch:
    """Calls ``hint`` from a thread of its own when something on the way to the watched files changes."""

    def __init__(
        self, hint: Callable[[], None], *, poll: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._hint = hint
        self._clock = clock
        self._lock = threading.Lock()
        self._names: frozenset[str] = frozenset()
        self._watched: dict[tuple[Path, Identity], ObservedWatch] = {}
        self._observer: BaseObserver | None = None
        self._due = math.inf if poll else -math.inf
        """When it is time to try to be told, by the clock."""
        self._refused = False
        if not poll:
            self._start()

    @property
    def mode(self) -> Literal["inotify", "poll"]:
        """``poll`` when nothing will ever be hinted."""
        return "inotify" if self._observer else "poll"

    def follow(self, paths: Iterable[Path]) -> bool:
        """Watch what leads to ``paths`` as it is now, and nothing else. True if anything new is watched.

        To be called again after every hint and every few seconds, since links and directories come and go;
        it costs little when nothing moved.
        """
        with self._lock:
            if self._observer is None and self._clock() >= self._due:
                self._start()
            if self._observer is None:
                return False
            points = {point for path in paths for point in waypoints(path)}
            self._names = frozenset(map(str, points))
            wanted = {found for point in points if (found := _directory(point))}
            try:
                new = self._rearrange(self._observer, wanted)
            except OSError as error:
                self._poll(error)
                return False
            if self._refused:
                self._refused = False
                log.info("the kernel tells of changed files again")
            return new

    def close(self) -> None:
        """No more hints."""
        with self._lock:
            self._due = math.inf
            self._give_up()

    def _start(self) -> None:
        try:
            observer = Observer()
            observer.start()
        except OSError as error:
            self._poll(error)
        else:
            self._observer = observer

    def _poll(self, error: OSError) -> None:
        """Do without the kernel for a while, and say so the first time."""
        self._give_up()
        self._due = self._clock() + RETRY
        if not self._refused:
            why = _LIMITS.get(error.errno or 0) or error.strerror or error
            log.warning(
                "the kernel does not tell of changed files (%s): they are looked at every second", why
            )
        self._refused = True

    def _rearrange(self, observer: BaseObserver, wanted: set[tuple[Path, Identity]]) -> bool:
        alive = {emitter.watch for emitter in observer.emitters if emitter.is_alive()}
        for found, watch in list(self._watched.items()):
            if found not in wanted or watch not in alive:
                with suppress(KeyError, OSError):
                    observer.unschedule(watch)
                del self._watched[found]
        new = wanted - self._watched.keys()
        for found in new:
            self._watched[found] = observer.schedule(_Handler(self._noticed), str(found[0]), recursive=False)
        return bool(new)

    def _noticed(self, path: str) -> None:
        if path in self._names:
            self._hint()

    def _give_up(self) -> None:
        if self._observer:
            self._observer.stop()
            self._observer.join()
        self._observer = None
        self._watched.clear()


class _Handler(FileSystemEventHandler):
    def __init__(self, noticed: Callable[[str], None]) -> None:
        self._noticed = noticed

    def on_any_event(self, event: FileSystemEvent) -> None:
        # A directory's "modified" says that some name in it changed: those that matter say so themselves.
        if event.event_type in _QUIET or (event.is_directory and event.event_type == "modified"):
            return
        for path in (event.src_path, event.dest_path):
            self._noticed(os.fsdecode(path))
