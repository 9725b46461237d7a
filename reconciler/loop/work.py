"""The work of a pass: look, carry out what is planned, look again, account for who is gone, write down.

Neighbours: ``loop.reconcile`` says which goal it is for, ``loop.picture`` looks and plans, resources carry
out, ``loop.history`` and ``loop.standing`` write down. It must not know where a goal comes from, nor whether
it may be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from reconciler.engine.messages import Hello, Observation, SessionKey
from reconciler.loop import accounts
from reconciler.loop.accounts import Breach
from reconciler.loop.drift import Ledger
from reconciler.loop.history import History
from reconciler.loop.picture import Picture, look
from reconciler.loop.reading.goal import Goal
from reconciler.loop.reading.intake import Intake
from reconciler.loop.report import Again, Blocked, End, Report, Settled
from reconciler.loop.standing import Standing
from reconciler.plan.change import Change, Plan
from reconciler.plan.healing import ignored, to_do
from reconciler.plan.state import Value
from reconciler.resources.base import Failure, Live, Resource, Situation
from reconciler.resources.engine import EngineClient
from reconciler.resources.registry import steps

ENDING = 0.1
"""Seconds until another look at sessions that are being ended."""


class Work:
    """Not thread-safe: its users take turns. ``wall`` tells Unix time."""

    def __init__(
        self,
        engine: EngineClient,
        resources: Sequence[Resource],
        ledger: Ledger,
        history: History,
        standing: Standing,
        wall: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._resources = resources
        self._ledger = ledger
        self._history = history
        self._standing = standing
        self._wall = wall
        self._ending: set[accounts.Key] = set()
        self._seen: Observation | None = None
        self._picture: Picture | None = None

    def carry_out(
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
        now = self._wall()
        drifted = self._ledger.found(_heals(plan), now)
        due = [change for change in to_do(plan) if not self._pause(change, now)]
        failures, ended = self._apply(due, before)
        after = self.look(goal, hello) if due else before
        breaches = self._account(before, after, plan, ended) if due else ()
        self._history.made(due, after, hello)
        left = self.planned(after, goal, hello)
        if only_moved:
            left = moved(left)
        self._ledger.forget(lambda path: ignored(path, after.at.wanted.site.self_heal))
        healed = self._ledger.settled((change.path for change in _heals(left)), self._wall())
        newly_applied = False
        if not only_moved:
            complete = not to_do(left)
            if complete:
                self._stamp(after)
            number, reached = after.at.generation, self._history.applied
            newly_applied = self._history.record(after, goal, hello, complete=complete)
            if number != reached:
                self._standing.tell(number, plan, failures, ended)
        return Report(
            end=self._end({change.path: change.after for change in due}, to_do(left), failures, after),
            intake=intake,
            desired=after.at.generation,
            applied=self._history.applied,
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

    def look(self, goal: Goal, hello: Hello, number: int | None = None) -> Picture:
        """How ``goal`` and the machine compare; it is numbered if it has no ``number`` yet."""
        assert goal.wanted is not None
        self._seen = self._engine.observe(self._seen, traffic=False)
        live = Live(self._seen, hello["device"], hello["via"])
        generation = self._history.number(goal, live) if number is None else number
        self._picture = look(self._resources, Situation(goal.wanted, live, generation), self._picture)
        return self._picture

    def planned(self, seen: Picture, goal: Goal, hello: Hello) -> Plan:
        """What is left to do."""
        now = self._wall()
        return seen.plan(
            self._history.reached(hello),
            self._history.places(goal),
            self._history.applied,
            {entry.path: now - entry.since for entry in self._ledger.lasting},
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
        self, before: Picture, after: Picture, plan: Plan, ended: Sequence[SessionKey]
    ) -> tuple[Breach, ...]:
        predicted = [session.key for session in plan.dropped]
        self._ending.update(map(accounts.key, ended))
        gone = accounts.missing(before.at.live.sessions, after.at.live.sessions, predicted)
        then, now = before.at.live.engine, after.at.live.engine
        if not gone or then is None or now is None:
            return ()
        return tuple(
            accounts.breaches(
                gone,
                ended,
                accounts.reasons(now),
                (then["time"], now["time"]),
                witnessed=not now["whole"],
            )
        )

    def _stamp(self, seen: Picture) -> None:
        """Tell the engine which generation new sessions belong to, where no change of its own did."""
        if seen.at.live.engine and seen.at.live.engine["generation"] != seen.at.generation:
            self._engine.configure(seen.at.generation, {})

    def _pause(self, change: Change, now: float) -> float:
        return self._ledger.pause(change.path, now) if change.op == "heal" else 0.0

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
            return Again(min(pauses.values()), "DriftContested", self._ledger.fight(pauses))
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


def _heals(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.op == "heal"]


def moved(plan: Plan) -> Plan:
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
