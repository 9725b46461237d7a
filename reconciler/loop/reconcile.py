"""One pass: read, observe, plan, apply, observe again, and see that nothing is left.

Level-triggered: a pass knows nothing of what woke it, looks at everything and does what is still missing.
Neighbours: ``loop.intake`` reads, ``loop.course`` says whether what was read is followed, ``loop.picture``
looks and plans, resources carry out, ``loop.history`` and ``loop.standing`` write down, ``loop.conditions``
judges the report. Threads take turns on one lock; it must not know who asks.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.engine.messages import Hello, Observation, SessionKey
from reconciler.loop import accounts
from reconciler.loop.accounts import Breach
from reconciler.loop.archive import Archive, NotKeptError
from reconciler.loop.course import Course, Now
from reconciler.loop.drift import Ledger
from reconciler.loop.events import Events
from reconciler.loop.gate import Gate, Held, StalePlanError
from reconciler.loop.generations import Cause
from reconciler.loop.goal import Goal, Reader
from reconciler.loop.history import History
from reconciler.loop.intake import AGAIN, Inlet, Intake
from reconciler.loop.picture import Picture, look
from reconciler.loop.report import Again, Blocked, End, Report, Settled
from reconciler.loop.standing import Standing
from reconciler.loop.store import Store
from reconciler.loop.supervise import EngineStartError, Supervisor
from reconciler.plan.change import Change, Plan
from reconciler.plan.guard import Verdict, judge
from reconciler.plan.healing import ignored, to_do
from reconciler.plan.state import State, Value
from reconciler.resources.base import Failure, Live, Resource, Situation
from reconciler.resources.engine import NoEngineError, RefusedError
from reconciler.resources.registry import steps

ENDING = 0.1
"""Seconds until another look at sessions that are being ended."""

LAST_WORDS = 1.0
"""Seconds to wait for news of why a session ended, when one is missing that nobody named."""


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
        """Changed by ``loop.orders``."""
        self._reader = reader
        self._inlet = Inlet(path, reader, clocks.monotonic)
        self._supervisor = supervisor
        self._resources = resources
        self._events = events
        self._wall = clocks.wall
        self._ending: set[accounts.Key] = set()
        self._gate = Gate(self.archive.through)
        self._standing = Standing(store, self.history, self.archive, self.course, self._gate, events)
        self._seen: Observation | None = None
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
            if intake.doubtful and isinstance(report.end, Settled):
                report = replace(report, end=Again(AGAIN, "SourceUnsettled", "the file is being written"))
            return replace(report, bearing=self.course.bearing, standing=self.archive.through)

    def plan(self, candidate: Goal) -> tuple[Plan, Verdict]:
        """What would be done if the file were ``candidate``, and what the guard says to it. Raises what the
        engine and the kernel raise.
        """
        with self.turn:
            hello = self._supervisor.ensure()
            seen = self._look(candidate, hello, number=0)
            plan = self._planned(seen, candidate, hello)
            verdict = judge(plan, seen.actual)
            return self._gate.show(plan), verdict

    def release(self, plan_id: str) -> bool:
        """Let the change that the file now makes through the guard, if it is the one that was shown as
        ``plan_id``. Raises what :meth:`plan` raises.
        """
        with self.turn:
            goal = self._inlet.look().goal
            if goal is None:
                return False
            hello = self._supervisor.ensure()
            return self._gate.release(plan_id, self._planned(self._look(goal, hello), goal, hello))

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
            return self._look(goal, self._supervisor.ensure(), 0)

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
            seen = self._look(goal, hello, 0)
            plan = self._planned(seen, goal, hello)
            verdict = judge(plan, seen.actual)
            if allow is not None and not self._gate.release(allow, plan):
                raise StalePlanError(allow)
            if self._gate.stops(plan, verdict):
                return self._gate.hold(plan, verdict)
            before = self.archive.through
            self._standing.order(goal, cause, note, seen.at.live, plan, verdict)
            if self.archive.through != before:
                self.begun = self._monotonic()
            return None

    def due(self) -> float:
        """In how many seconds a pass is due because something runs out."""
        return self.course.due(self._now())

    def _reconcile(self, intake: Intake) -> Report:
        goal = intake.goal
        self._standing.end_pause(self._now())
        followed = goal is not None and self.course.follows(self.history.wish(goal))
        if goal is None and self.archive.standing() is None:
            return self._stuck(intake, Blocked("SourceInvalid", intake.source.problem))
        hello = self._supervisor.ensure()
        if goal is not None and followed:
            return self._follow(intake, goal, hello)
        if pending := self.course.expired(self._now()):
            try:
                self.begun = self._monotonic()
                self._standing.undo(pending, Live(self._supervisor.client.observe()), self._now())
            except NotKeptError as error:
                end = Blocked("UndoFailed", f"generation {pending.generation} cannot be undone: {error}")
                return replace(self._enforce(intake, hello), end=end)
        report = self._enforce(intake, hello)
        if isinstance(report.end, Settled) and not intake.doubtful and self._standing.differs(goal):
            report = replace(report, end=Blocked(*self.course.bearing.why(), retry_in=math.inf))
        return report

    def _follow(self, intake: Intake, goal: Goal, hello: Hello) -> Report:
        """The file's goal, unless the guard holds it."""
        seen = self._look(goal, hello)
        plan = self._planned(seen, goal, hello)
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
            self._standing.admit(number, goal, plan, verdict)
            report = self._carry_out(intake, goal, hello, seen, plan)
        return replace(report, verdict=verdict, took=self._monotonic() - self.begun)

    def _enforce(self, intake: Intake, hello: Hello) -> Report:
        """Keep what was let through last in force, whatever the file says. If it is not kept, only what moved
        by itself is put back.
        """
        if standing := self.archive.standing():
            number, goal = standing
            seen = self._look(goal, hello, number)
            plan = self._planned(seen, goal, hello)
            report = self._carry_out(intake, goal, hello, seen, plan)
            return replace(report, took=self._monotonic() - self.begun)
        assert intake.goal is not None
        seen = self._look(intake.goal, hello, self.history.applied)
        moved = _moved(self._planned(seen, intake.goal, hello))
        return self._carry_out(intake, intake.goal, hello, seen, moved, only_moved=True)

    def _now(self) -> Now:
        return Now(self._monotonic(), self._wall())

    def _carry_out(
        self,
        intake: Intake,
        goal: Goal,
        hello: Hello,
        before: Picture,
        plan: Plan,
        *,
        only_moved: bool = False,
    ) -> Report:
        """Do what is planned, look again, and write down what was reached; of a goal of which only what moved
        is put back, nothing is reached.
        """
        now, told = self._wall(), self._events.last
        drifted = self.ledger.found(_heals(plan), now)
        due = [change for change in to_do(plan) if not self._pause(change, now)]
        failures, ended = self._apply(due, before)
        after = self._look(goal, hello) if due else before
        breaches = self._account(before, after, plan, ended, told) if due else ()
        self.history.made(due, after, hello)
        left = self._planned(after, goal, hello)
        if only_moved:
            left = _moved(left)
        self.ledger.forget(lambda path: ignored(path, after.at.wanted.site.self_heal))
        healed = self.ledger.settled((change.path for change in _heals(left)), self._wall())
        newly_applied = False
        if not only_moved:
            complete = not to_do(left)
            if complete:
                self._stamp(after)
            number, reached = after.at.generation, self.history.applied
            newly_applied = self.history.record(after, goal, hello, complete=complete)
            if number != reached:
                self._standing.tell(number, plan, failures, ended)
        return Report(
            end=self._end({change.path: change.after for change in due}, to_do(left), failures, after),
            intake=intake,
            desired=after.at.generation,
            applied=self.history.applied,
            newly_applied=newly_applied,
            plan=plan,
            left=left,
            failures=failures,
            breaches=breaches,
            drifted=tuple(drifted),
            healed=tuple(healed),
            live=after.at.live,
            hello=hello,
        )

    def _look(self, goal: Goal, hello: Hello, number: int | None = None) -> Picture:
        assert goal.wanted is not None
        self._seen = self._supervisor.client.observe(self._seen, traffic=False)
        live = Live(self._seen, hello["device"], hello["via"])
        generation = self.history.number(goal, live) if number is None else number
        return look(self._resources, Situation(goal.wanted, live, generation))

    def _planned(self, seen: Picture, goal: Goal, hello: Hello) -> Plan:
        now = self._wall()
        return seen.plan(
            self.history.reached(hello),
            self.history.places(goal),
            self.history.applied,
            {entry.path: now - entry.since for entry in self.ledger.lasting},
        )

    def _apply(
        self, changes: Sequence[Change], seen: Picture
    ) -> tuple[tuple[Failure, ...], tuple[SessionKey, ...]]:
        """Everything that can be done, whatever else fails: a route that cannot be made must not keep a
        revoked user online.
        """
        failures: list[Failure] = []
        ended: list[SessionKey] = []
        for resource, todo in steps(self._resources, changes):
            outcome = resource.apply(todo, seen.at)
            failures += outcome.failures
            ended += outcome.ended
        return tuple(failures), tuple(ended)

    def _account(
        self, before: Picture, after: Picture, plan: Plan, ended: Sequence[SessionKey], told: int
    ) -> tuple[Breach, ...]:
        predicted = [session.key for session in plan.dropped]
        self._ending.update(map(accounts.key, ended))
        gone = accounts.missing(before.at.live.sessions, after.at.live.sessions, predicted)
        if not gone:
            return ()
        reasons = self._events.ends(map(accounts.key, gone), told, LAST_WORDS)
        return tuple(accounts.breaches(gone, ended, reasons))

    def _stamp(self, seen: Picture) -> None:
        """Tell the engine which generation new sessions belong to, where no change of its own did."""
        if seen.at.live.engine and seen.at.live.engine["generation"] != seen.at.generation:
            self._supervisor.client.configure(seen.at.generation, {})

    def _pause(self, change: Change, now: float) -> float:
        return self.ledger.pause(change.path, now) if change.op == "heal" else 0.0

    def _end(
        self,
        tried: Mapping[str, Value | None],
        left: Sequence[Change],
        failures: Sequence[Failure],
        after: Picture,
    ) -> End:
        if failures:
            return _blocked(failures)
        # Where by now something else is wished, as when a session has ended that had a route, it was done.
        if undone := [c.path for c in left if c.path in tried and tried[c.path] == c.after]:
            return Blocked("NotVerified", f"{undone[0]} is not as it was set")
        now = self._wall()
        pauses = {change.path: self._pause(change, now) for change in left}
        if pauses and min(pauses.values()) > 0:
            return Again(min(pauses.values()), "DriftContested", self.ledger.fight(pauses))
        if left:
            return Again(ENDING, "MoreToDo", "something changed meanwhile")
        if self._still_ending(after):
            return Again(ENDING, "SessionsEnding", f"sessions being ended: {len(self._ending)}")
        return Settled()

    def _still_ending(self, seen: Picture) -> bool:
        """Whether a session that we ended has not said goodbye yet."""
        sessions = seen.at.live.engine["sessions"] if seen.at.live.engine else ()
        self._ending &= {accounts.key(one) for one in sessions if one["state"] == "terminate"}
        return bool(self._ending)

    def _stuck(self, intake: Intake, end: End) -> Report:
        return Report(end, intake, self.history.desired, self.history.applied)


def _heals(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.op == "heal"]


def _moved(plan: Plan) -> Plan:
    """The part that puts back what moved by itself. That something is there which nobody wishes does not
    tell that it came by itself: after a restart of the engine the old wish is not known.
    """
    return replace(plan, changes=tuple(change for change in _heals(plan) if change.after is not None))


def _blocked(failures: Sequence[Failure]) -> Blocked:
    """The worst failure and how many more: an interface that is missing explains others, and is only waited
    for.
    """
    first = next((f for f in failures if f.reason == "InterfaceMissing"), failures[0])
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return Blocked(first.reason, first.message + more)
