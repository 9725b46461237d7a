"""What operators order beside the file: go back, wait, go on, try until confirmed, apply by hand.

Each order is written down before anything of it is done, and waits for its turn like a pass. Neighbours:
``keeping.course`` remembers what was ordered, ``loop.reconcile`` carries it out, ``answering.steering`` hears
it. It must not know how an order was given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from reconciler.loop.gate import Held, StalePlanError
from reconciler.loop.keeping.archive import NotKeptError
from reconciler.loop.keeping.course import Pause, Pending
from reconciler.loop.keeping.generations import Cause
from reconciler.loop.reading.goal import Goal
from reconciler.loop.reading.intake import AGAIN, PATIENCE
from reconciler.loop.reconcile import Clocks, Reconciler
from reconciler.loop.telling.events import Events
from reconciler.plan.saved import still_holds

CLAIM: Final = 60.0
"""Seconds after the watch applied a change in which it can still be put on trial."""

LONGEST: Final = 86400.0
"""Seconds that a change may wait to be confirmed."""


class OrderError(Exception):
    """An order that cannot be carried out. ``code`` is for machines, ``str()`` one line."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Orders:
    """Orders to ``reconciler``. All may raise :class:`OrderError`, and what ``Reconciler.plan`` raises."""

    def __init__(
        self,
        reconciler: Reconciler,
        events: Events,
        clocks: Clocks,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._reconciler = reconciler
        self._archive = reconciler.archive
        self._course = reconciler.course
        self._history = reconciler.history
        self._events = events
        self._clocks = clocks
        self._sleep = sleep

    def pause(self, seconds: float | None, reason: str, by: str) -> Pause:
        """The file is not followed for so long, or until somebody resumes."""
        with self._reconciler.turn:
            now, old = self._clocks.wall(), self._course.bearing.pause
            until = None if seconds is None else now + seconds
            pause = Pause(now, until, reason, by, old.rolled_back_to if old else None)
            self._course.pause(pause)
            self._note("paused", f"by {by}{f': {reason}' if reason else ''}")
            return pause

    def resume(self, by: str) -> Pause | None:
        """The file is followed again. Gives back the pause that this ended."""
        with self._reconciler.turn:
            was = self._course.resume()
            if was:
                self._note("resumed", f"by {by}")
            return was

    def rollback(self, number: int, by: str, allow: str | None = None) -> Held | None:
        """The content of generation ``number`` is in force from now on, and the file is not followed. Gives
        back what the guard holds. Raises ``StalePlanError`` too.
        """

        def note(new: int) -> None:
            pending, now = self._course.bearing.pending, self._clocks.wall()
            if pending:
                self._history.conclude(pending.generation, "undone")
                self._course.expect(None)
            self._course.pause(Pause(now, None, f"rolled back to generation {number}", by, number))
            self._note("rolled_back", f"to generation {number}, by {by}", new)

        with self._reconciler.turn:
            goal = self._kept(number)
            held = self._reconciler.adopt(goal, Cause("rollback", number, by), note, allow)
            return self._told(held, allow, by)

    def await_writer(self) -> None:
        """Wait until nobody is writing the file any more, but not for ever."""
        left = PATIENCE
        while self._reconciler.unsettled() and left > 0:
            self._sleep(AGAIN)
            left -= AGAIN

    def take(
        self,
        by: str,
        within: float | None = None,
        saved: Mapping[str, Any] | None = None,
        allow: str | None = None,
    ) -> Held | None:
        """Apply what the file says, once nobody writes it, though it may not be followed. With ``within`` it
        is undone unless somebody confirms it in so many seconds. ``saved`` is a plan that was kept: it must
        still be what would be done.

        Gives back what the guard holds. A file that cannot be used is not taken: the next pass says why.
        Raises ``StalePlanError`` too.
        """
        if self._course.bearing.free and within is None and saved is None:
            if allow is not None and not self._reconciler.release(allow):
                raise StalePlanError(allow)
            return self._told(None, allow, by)
        with self._reconciler.turn:
            if self._course.bearing.pending and within is None:
                pending = self._course.bearing.pending
                raise OrderError(
                    "unconfirmed",
                    f"generation {pending.generation} waits to be confirmed: `reconciler confirm`, or"
                    " `reconciler confirm --undo`, first",
                )
            goal = self._reconciler.read()
            if goal is None:
                return None
            if saved is not None:
                self._check(goal, saved)
            if within is not None:
                return self._told(self._try(goal, by, within, allow), allow, by)
            held = self._reconciler.adopt(goal, Cause(by=by), lambda _: self._course.accept(), allow)
            return self._told(held, allow, by)

    def confirm(self, by: str, *, undo: bool = False) -> Pending | None:
        """The change that is on trial stays; or is undone now. Gives back what it was."""
        with self._reconciler.turn:
            pending = self._course.bearing.pending
            if pending is None:
                return None
            if undo:
                # An undo like any other: the next pass finds that the time is over.
                self._course.expect(replace(pending, due=self._clocks.monotonic()))
                return pending
            self._history.conclude(pending.generation, "confirmed")
            self._course.expect(None)
            self._note("confirmed", f"generation {pending.generation}, by {by}")
            return pending

    def _told(self, held: Held | None, allow: str | None, by: str) -> Held | None:
        """``held``, after noting who let a plan past the guard, if somebody did."""
        if held is None and allow is not None:
            self._note("plan_released", f"plan {allow}, by {by}")
        return held

    def _try(self, goal: Goal, by: str, within: float, allow: str | None) -> Held | None:
        """Put ``goal`` in force until its time is over. Nothing to do if it is in force for long."""
        before = self._before(goal)
        if before is None:
            return None
        if before == 0:
            raise OrderError("nothing_to_undo", "nothing was in force before: there is nothing to go back to")
        self._kept(before)
        bearing = self._course.bearing

        def note(number: int) -> None:
            pending = Pending(
                generation=number,
                undo_to=before,
                boot=self._course.boot,
                due=self._clocks.monotonic() + within,
                until=self._clocks.wall() + within,
                by=by,
            )
            if bearing.pending and bearing.pending.generation != number:
                self._history.conclude(bearing.pending.generation, "undone")
            self._course.expect(pending)
            self._note("confirm_awaited", f"generation {number}, for {within:g} s, by {by}", number)

        return self._reconciler.adopt(goal, Cause(by=by), note, allow)

    def _before(self, goal: Goal) -> int | None:
        """To which generation an undo of ``goal`` would go: 0 for none; None when ``goal`` is in force and
        was not put there a moment ago.
        """
        pending, through = self._course.bearing.pending, self._archive.through
        if pending:
            return pending.undo_to
        if not self._reconciler.standing.wishes(goal, through):
            return through
        fresh = self._clocks.monotonic() - self._reconciler.begun < CLAIM
        return self._archive.before if fresh else None

    def _check(self, goal: Goal, saved: Mapping[str, Any]) -> None:
        """Raises ``StalePlanError`` unless the plan that was saved is what would be done now."""
        plan, _ = self._reconciler.plan(goal)
        if saved["sha256"] != goal.sha256 or not still_holds(plan, saved["plan"]):
            raise StalePlanError(str(saved["plan"].get("id", "?")))

    def _kept(self, number: int) -> Goal:
        try:
            return self._archive.goal(number)
        except NotKeptError as error:
            raise OrderError("not_kept", str(error)) from None

    def _note(self, kind: str, what: str, generation: int | None = None) -> None:
        number = self._archive.through if generation is None else generation
        self._events.note(kind, what, number, self._clocks.wall())
