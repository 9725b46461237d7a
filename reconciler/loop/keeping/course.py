"""Whether the file is followed, and until when not: a pause, a change that waits to be confirmed, a change
that was undone.

Kept on disk, since none of it may be forgotten by a restart. Neighbours: ``answering.orders`` changes it,
``loop.reconcile`` asks it with each pass. It must not know how a generation is reached, nor read a clock.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, NamedTuple, Protocol

from reconciler.plan.words import moment
from reconciler.resources import kept

WAITING: Final = frozenset({"AwaitingConfirm", "Paused", "Undone"})
"""Reasons why the file has to wait, though everything is as it was ordered."""

_FACT: Final = "course"


class Now(NamedTuple):
    """The time by both clocks: ``monotonic`` seconds since the machine's boot, ``wall`` in Unix time."""

    monotonic: float
    wall: float


@dataclass(frozen=True, slots=True)
class Pause:
    """The file is not followed, ``until`` then (Unix time) or, None, until somebody says so.
    ``rolled_back_to`` is the generation that somebody went back to.
    """

    since: float
    until: float | None
    reason: str
    by: str
    rolled_back_to: int | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """``generation`` is in force on trial. Unless somebody confirms it, ``undo_to`` is put back when the
    machine's clock says ``due`` (monotonic, of the boot named), which was to be at ``until`` (Unix time).
    """

    generation: int
    undo_to: int
    boot: str
    due: float
    until: float
    by: str


@dataclass(frozen=True, slots=True)
class Refused:
    """``generation`` was not confirmed and is undone: what it wished is not taken from the file again."""

    generation: int
    since: float


@dataclass(frozen=True, slots=True)
class Bearing:
    """All that keeps the file from being followed."""

    pause: Pause | None = None
    pending: Pending | None = None
    refused: Refused | None = None

    @property
    def free(self) -> bool:
        """Whether nothing keeps the file from being followed."""
        return self.pause is None and self.pending is None and self.refused is None

    def why(self) -> tuple[str, str]:
        """Why the file is not followed: a word and a line."""
        if self.pending:
            return "AwaitingConfirm", awaiting(self.pending)
        if self.pause:
            return "Paused", paused(self.pause)
        assert self.refused is not None
        return "Undone", undone(self.refused)


class Facts(kept.Facts, Protocol):
    """What outlives the process, by name; together in one transaction."""

    def transaction(self, *, lasting: bool = False) -> AbstractContextManager[Any]: ...


class Course:
    """The bearing as it now is, on disk with each change. ``boot`` is the machine's present boot."""

    def __init__(self, facts: Facts, boot: str) -> None:
        self._facts = facts
        self._boot = boot
        self._known = "", Bearing()

    @property
    def bearing(self) -> Bearing:
        """As it stands on disk: what could not be written down is not so."""
        text = self._facts.fact(_FACT) or ""
        if text != self._known[0]:
            self._known = text, _read(text)
        return self._known[1]

    @property
    def boot(self) -> str:
        return self._boot

    @property
    def in_use(self) -> Iterator[int]:
        """The generations whose content is needed."""
        if pending := self.bearing.pending:
            yield pending.generation
            yield pending.undo_to

    def follows(self, *, refused: bool) -> bool:
        """Whether a file is followed that wishes what was undone (``refused``), or something else: then what
        was undone is forgotten.
        """
        now = self.bearing
        if now.pause or now.pending or (now.refused and refused):
            return False
        if now.refused:
            self._set(replace(now, refused=None))
        return True

    def pause(self, pause: Pause) -> None:
        self._set(replace(self.bearing, pause=pause))

    def resume(self) -> Pause | None:
        """End a pause; gives back the one that was."""
        was = self.bearing.pause
        if was:
            self._set(replace(self.bearing, pause=None))
        return was

    def expect(self, pending: Pending | None) -> None:
        """A change must be confirmed, or (None) no longer."""
        self._set(replace(self.bearing, pending=pending, refused=None))

    def refuse(self, refused: Refused) -> None:
        """The pending change is undone."""
        self._set(replace(self.bearing, pending=None, refused=refused))

    def accept(self) -> None:
        """Whatever was undone may be taken again."""
        if self.bearing.refused:
            self._set(replace(self.bearing, refused=None))

    def over(self, now: Now) -> Pause | None:
        """End a pause that ran out; gives it back."""
        pause = self.bearing.pause
        if pause is None or pause.until is None or now.wall < pause.until:
            return None
        return self.resume()

    def expired(self, now: Now) -> Pending | None:
        """The change that was not confirmed in time. Nothing is known of the time that another boot took."""
        pending = self.bearing.pending
        if pending is None or (pending.boot == self._boot and now.monotonic < pending.due):
            return None
        return pending

    def due(self, now: Now) -> float:
        """In how many seconds something runs out; infinity: nothing does."""
        pause, pending = self.bearing.pause, self.bearing.pending
        times = [math.inf]
        if pause and pause.until is not None:
            times.append(pause.until - now.wall)
        if pending and pending.boot == self._boot:
            times.append(pending.due - now.monotonic)
        return max(0.0, min(times))

    def _set(self, bearing: Bearing) -> None:
        with self._facts.transaction(lasting=True):
            self._facts.set_fact(_FACT, json.dumps(asdict(bearing)))


def paused(pause: Pause) -> str:
    """A pause in one line."""
    until = "somebody resumes" if pause.until is None else moment(pause.until)
    why = f": {pause.reason}" if pause.reason else ""
    return f"site.yaml is not followed until {until}, says {pause.by}{why}; `reconciler resume` ends it"


def awaiting(pending: Pending) -> str:
    """A change that waits, in one line."""
    return (
        f"generation {pending.generation} is undone at {moment(pending.until)},"
        " unless somebody says `reconciler confirm`"
    )


def undone(refused: Refused) -> str:
    """A change that was undone, in one line."""
    return (
        f"generation {refused.generation} was not confirmed and is undone: site.yaml is taken again when it"
        " says something else, or by `reconciler apply SITE`"
    )


def _read(text: str) -> Bearing:
    found = json.loads(text or "{}")
    pause, pending, refused = (found.get(name) for name in ("pause", "pending", "refused"))
    return Bearing(
        Pause(**pause) if pause else None,
        Pending(**pending) if pending else None,
        Refused(**refused) if refused else None,
    )
