"""One pass: read, observe, plan, apply, observe again, and see that nothing is left.

Level-triggered: a pass knows nothing of what woke it, looks at everything and does what is still missing.
Neighbours: ``reading.intake`` reads, ``keeping.course`` says whether what was read is followed, ``loop.gate``
whether it goes through, ``loop.work`` does it, ``loop.conditions`` judges the report. Threads take turns on
one lock; it must not know who asks.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.engine.messages import Hello
from reconciler.loop.drift import Ledger
from reconciler.loop.gate import Gate, Held, StalePlanError
from reconciler.loop.history import History
from reconciler.loop.keeping.archive import Archive, NotKeptError
from reconciler.loop.keeping.course import Course, Now
from reconciler.loop.keeping.generations import Cause
from reconciler.loop.keeping.store import Store, StoreError
from reconciler.loop.picture import Picture
from reconciler.loop.reading.goal import Goal, Reader
from reconciler.loop.reading.intake import AGAIN, Inlet, Intake
from reconciler.loop.report import Again, Blocked, End, Report, Settled
from reconciler.loop.standing import Standing
from reconciler.loop.supervise import EngineStartError, Supervisor
from reconciler.loop.telling.events import Events
from reconciler.loop.work import Work, moved
from reconciler.plan.change import Plan
from reconciler.plan.guard import Verdict, judge
from reconciler.plan.state import State
from reconciler.resources.base import Live, Resource
from reconciler.resources.engine import NoEngineError, RefusedError


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where the time comes from: ``monotonic`` for waiting, ``wall`` (Unix time) for telling."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class Reconciler:
    """Keeps the machine equal to the file at ``path``."""

    def __init__(
        self,
        path: Path,
        reader: Reader,
        supervisor: Supervisor,
        resources: Sequence[Resource],
        store: Store,
        events: Events,
        clocks: Clocks,
    ) -> None:
        self.path = path
        self.turn = threading.RLock()
        """Held during a pass; whoever uses the same parts beside the loop takes it too."""
        self.ledger = Ledger()
        self.history = History(store, resources, clocks.wall)
        self.archive = Archive(store, reader, path)
        self.course = Course(store, store.boot)
        """Changed by ``answering.orders``."""
        self._reader = reader
        self._inlet = Inlet(path, reader, clocks.monotonic)
        self._supervisor = supervisor
        self._events = events
        self._wall = clocks.wall
        self._gate = Gate(self.archive.through)
        self.standing = Standing(store, self.history, self.archive, self.course, self._gate, events)
        self._work = Work(supervisor.client, resources, self.ledger, self.history, self.standing, clocks.wall)
        self.begun = -math.inf
        """When what stands was let through, by the monotonic clock; long ago if it was before we began."""
        self._monotonic = clocks.monotonic

    def run(self) -> Report:
        """One pass. Never raises for what the operator, the machine or the engine did."""
        with self.turn:
            intake = self._inlet.look()
            try:
                report = self._reconcile(intake)
            except EngineStartError as error:
                report = self._stuck(intake, Blocked("EngineFailed", str(error), error.retry_in))
            except RefusedError as error:
                report = self._stuck(intake, Blocked("EngineIncompatible", str(error)))
            except NoEngineError as error:
                report = self._stuck(intake, Again(AGAIN, "EngineGone", str(error)))
            except OSError as error:
                report = self._stuck(intake, Blocked("KernelFailed", str(error)))
            except StoreError as error:
                report = self._stuck(intake, Blocked("StateFailed", str(error)))
            if intake.doubtful and isinstance(report.end, Settled):
                report = replace(report, end=Again(AGAIN, "SourceUnsettled", "the file is being written"))
            return replace(report, bearing=self.course.bearing, standing=self.archive.through)

    def plan(self, candidate: Goal) -> tuple[Plan, Verdict]:
        """What would be done if the file were ``candidate``, and what the guard says to it. Raises what the
        engine and the kernel raise.
        """
        with self.turn:
            hello = self._supervisor.ensure()
            seen = self._work.look(candidate, hello, number=0)
            plan = self._work.planned(seen, candidate, hello)
            return self._gate.show(plan), self._judge(plan, seen, candidate)

    def release(self, plan_id: str) -> bool:
        """Let the change that the file now makes through the guard, if it is the one that was shown as
        ``plan_id``. Raises what :meth:`plan` raises.
        """
        with self.turn:
            goal = self._inlet.look().goal
            if goal is None:
                return False
            hello = self._supervisor.ensure()
            return self._gate.release(plan_id, self._work.planned(self._work.look(goal, hello), goal, hello))

    def read(self) -> Goal | None:
        """The file's goal as it is now; None if it cannot be used, or not yet."""
        with self.turn:
            intake = self._inlet.look()
            return None if intake.doubtful or intake.source.wanted is None else intake.source

    def unsettled(self) -> bool:
        """Whether somebody seems to be writing the file."""
        with self.turn:
            return self._inlet.look().doubtful

    def read_file(self) -> Goal:
        """What the file says now, good or not."""
        with self.turn:
            return self._inlet.look().source

    def picture(self, goal: Goal) -> Picture:
        """How ``goal`` and the machine compare. Raises what :meth:`plan` raises."""
        with self.turn:
            return self._work.look(goal, self._supervisor.ensure(), 0)

    def applied_state(self) -> State:
        """The state that was reached last. Raises what :meth:`plan` raises."""
        with self.turn:
            return self.history.reached(self._supervisor.ensure())

    def understand(self, text: bytes, path: Path) -> Goal:
        """The goal that ``text`` declares, as if it stood at ``path``."""
        return self._reader.understand(text, path)

    def adopt(
        self, goal: Goal, cause: Cause, note: Callable[[int], None], allow: str | None = None
    ) -> Held | None:
        """Let ``goal`` through: it is in force from the next pass on, as long as the file is not followed.

        ``note`` is told its number, and what it writes to the store is written together with it, before
        anything is done. Gives back what the guard holds; ``allow`` is the id of the plan that may pass it.
        Raises ``StalePlanError``, and what :meth:`plan` raises.
        """
        with self.turn:
            hello = self._supervisor.ensure()
            seen = self._work.look(goal, hello, 0)
            plan = self._work.planned(seen, goal, hello)
            verdict = self._judge(plan, seen, goal)
            if allow is not None and not self._gate.release(allow, plan):
                raise StalePlanError(allow)
            if self._gate.stops(plan, verdict):
                return self._gate.hold(plan, verdict)
            before = self.archive.through
            self.standing.order(goal, cause, note, seen.at.live, plan, verdict)
            if self.archive.through != before:
                self.begun = self._monotonic()
            return None

    def due(self) -> float:
        """In how many seconds a pass is due because something runs out."""
        return self.course.due(self._now())

    def _reconcile(self, intake: Intake) -> Report:
        goal = intake.goal
        self.standing.end_pause(self._now())
        followed = goal is not None and self.standing.follows(goal)
        if goal is None and self.archive.standing() is None:
            return self._stuck(intake, Blocked("SourceInvalid", intake.source.problem))
        hello = self._supervisor.ensure()
        if goal is not None and followed:
            try:
                return self._follow(intake, goal, hello)
            except StoreError as error:
                through = self.archive.through
                stands = f"; generation {through} stays in force" if through else ""
                return replace(self._enforce(intake, hello), end=Blocked("StateFailed", f"{error}{stands}"))
        if pending := self.course.expired(self._now()):
            try:
                self.begun = self._monotonic()
                self.standing.undo(pending, Live(self._supervisor.client.observe()), self._now())
            except NotKeptError as error:
                end = Blocked("UndoFailed", f"generation {pending.generation} cannot be undone: {error}")
                return replace(self._enforce(intake, hello), end=end)
        report = self._enforce(intake, hello)
        if isinstance(report.end, Settled) and not intake.doubtful and self.standing.differs(goal):
            report = replace(report, end=Blocked(*self.course.bearing.why(), retry_in=math.inf))
        return report

    def _follow(self, intake: Intake, goal: Goal, hello: Hello) -> Report:
        """The file's goal, unless the guard holds it."""
        seen = self._work.look(goal, hello)
        plan = self._work.planned(seen, goal, hello)
        verdict, number = judge(plan, seen.actual), seen.at.generation
        if self._gate.holds(number, self.history.applied, plan, verdict):
            report = self._enforce(intake, hello)
            end = report.end
            if isinstance(end, Settled):
                end = Blocked("Held", "the guard holds the change: see the condition Held")
            held = self._gate.hold(plan, verdict)
            report = replace(report, end=end, desired=self.history.desired, held=held)
        else:
            if number != self.archive.through:
                self.begun = self._monotonic()
            self.standing.admit(number, goal, plan, verdict)
            report = self._work.carry_out(intake, goal, hello, seen, plan)
        return replace(report, verdict=verdict, took=self._monotonic() - self.begun)

    def _enforce(self, intake: Intake, hello: Hello) -> Report:
        """Keep what was let through last in force, whatever the file says. If it is not kept, only what moved
        by itself is put back.
        """
        if standing := self.archive.standing():
            number, goal = standing
            seen = self._work.look(goal, hello, number)
            plan = self._work.planned(seen, goal, hello)
            report = self._work.carry_out(intake, goal, hello, seen, plan)
            return replace(report, took=self._monotonic() - self.begun)
        assert intake.goal is not None
        seen = self._work.look(intake.goal, hello, self.history.applied)
        plan = moved(self._work.planned(seen, intake.goal, hello))
        return self._work.carry_out(intake, intake.goal, hello, seen, plan, only_moved=True)

    def _judge(self, plan: Plan, seen: Picture, goal: Goal) -> Verdict:
        """What the guard says to ``goal``, which may be what was let through and is not yet reached."""
        verdict = judge(plan, seen.actual)
        if verdict.held and self.history.wish(goal) == self.history.wish_of(self.archive.through):
            return replace(verdict, stands=True)
        return verdict

    def _now(self) -> Now:
        return Now(self._monotonic(), self._wall())

    def _stuck(self, intake: Intake, end: End) -> Report:
        return Report(end, intake, self.history.desired, self.history.applied)
