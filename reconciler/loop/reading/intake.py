"""Decides which reading of the file becomes the goal, and when a bad one is believed to be bad.

A file that is being saved may be empty, missing or cut short for a moment: what is bad, or still open for
writing, is looked at a second time first. The last good goal stays while the file is bad. It must not know
what goals are for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reconciler.loop.reading.goal import Goal, Reader

AGAIN = 0.1
"""Seconds until the second look."""

PATIENCE = 10.0
"""Seconds for which a file may be open for writing before it is taken as it is."""


@dataclass(frozen=True, slots=True)
class _Suspect:
    sha256: str | None
    unfinished: bool
    since: float


@dataclass(frozen=True, slots=True)
class Intake:
    """What a look at the file gave. ``doubtful``: it is not to be believed yet, look again in ``AGAIN``
    seconds.
    """

    source: Goal
    goal: Goal | None
    doubtful: bool


class Inlet:
    """Looks at ``path``; remembers the last good goal."""

    def __init__(self, path: Path, reader: Reader, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._reader = reader
        self._monotonic = monotonic
        self._goal: Goal | None = None
        self._suspect: _Suspect | None = None

    def look(self) -> Intake:
        """Read, and adopt what is good."""
        source = self._reader.look(self._path)
        doubtful = self._doubtful(source)
        if source.wanted is not None and not doubtful:
            self._goal = source
        return Intake(source, self._goal, doubtful)

    def _doubtful(self, source: Goal) -> bool:
        if source.wanted is not None and not source.unfinished:
            self._suspect = None
            return False
        now, last = self._monotonic(), self._suspect
        if last is None or last.sha256 != source.sha256 or last.unfinished != source.unfinished:
            # A writer gets its patience once, not anew with each of its writes.
            since = last.since if last and last.unfinished and source.unfinished else now
            last = self._suspect = _Suspect(source.sha256, source.unfinished, since)
            if not source.unfinished:
                return True
        return source.unfinished and now - last.since < PATIENCE
