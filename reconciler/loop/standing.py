"""Which generation stands: the one let through last, by the file, by an operator's order, or by an undo.

Everything here is written down before anything of it is done, so that a restart goes on where a pass was cut
off. Neighbours: ``loop.reconcile`` carries out what stands, ``keeping.archive`` keeps it, ``loop.gate`` lets
through. It must not know how a generation is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reconciler.engine.messages import SessionKey
from reconciler.loop.gate import Gate
from reconciler.loop.history import History
from reconciler.loop.keeping.archive import Archive, NotKeptError, planned
from reconciler.loop.keeping.course import Course, Now, Pending, Refused
from reconciler.loop.keeping.generations import Cause
from reconciler.loop.keeping.store import Store
from reconciler.loop.reading.goal import Goal
from reconciler.loop.telling.events import Events
from reconciler.plan.change import Plan
from reconciler.plan.guard import Verdict
from reconciler.resources.base import Failure, Live


@dataclass(frozen=True, slots=True)
class Standing:
    """The parts that together know it. Not thread-safe: its users take turns."""

    store: Store
    history: History
    archive: Archive
    course: Course
    gate: Gate
    events: Events
    _wishes: dict[int, str] = field(default_factory=dict)

    def admit(self, number: int, goal: Goal, plan: Plan, verdict: Verdict | None) -> None:
        """A generation goes through, by ``plan``."""
        self.archive.admit(number, goal, self.course.in_use)
        self.gate.let(number)
        if number != self.history.applied and "plan" not in self.archive.told(number):
            self.archive.tell(number, **planned(plan, verdict))

    def order(
        self,
        goal: Goal,
        cause: Cause,
        note: Callable[[int], None],
        live: Live,
        plan: Plan,
        verdict: Verdict,
    ) -> None:
        """A goal goes through that somebody asked for; with all that ``note``, told its number, writes to the
        store.
        """
        with self.store.transaction(lasting=True):
            number = self.history.number(goal, live, cause)
            self.admit(number, goal, plan, verdict)
            note(number)

    def undo(self, pending: Pending, live: Live, now: Now) -> None:
        """What was in force before a change that nobody confirmed stands again. Raises ``NotKeptError``."""
        goal = self.archive.goal(pending.undo_to)
        with self.store.transaction(lasting=True):
            number = self.history.number(goal, live, Cause("undo", pending.undo_to))
            self.archive.admit(number, goal, self.course.in_use)
            self.history.conclude(pending.generation, "undone")
            self.course.refuse(Refused(pending.generation, now.wall))
        self.gate.let(number)
        text = f"generation {pending.generation} was not confirmed: back to that of {pending.undo_to}"
        self.events.note("undone", text, number, now.wall)

    def end_pause(self, now: Now) -> None:
        """If a pause ran out, the file is followed again."""
        if pause := self.course.over(now):
            why = f": {pause.reason}" if pause.reason else ""
            self.events.note("resumed", f"the pause is over{why}", self.archive.through, now.wall)

    def follows(self, goal: Goal) -> bool:
        """Whether the file, which says ``goal``, is followed."""
        refused = self.course.bearing.refused
        return self.course.follows(refused=refused is not None and self.wishes(goal, refused.generation))

    def wishes(self, goal: Goal, number: int) -> bool:
        """Whether ``goal`` wishes what generation ``number`` did. That is read again once: the program before
        this one may have had other words for it.
        """
        if number not in self._wishes:
            try:
                self._wishes[number] = self.history.wish(self.archive.goal(number))
            except NotKeptError:
                self._wishes[number] = self.history.wish_of(number)
        return self.history.wish(goal) == self._wishes[number]

    def differs(self, goal: Goal | None) -> bool:
        """Whether ``goal`` wishes something else than what stands."""
        return goal is not None and not self.wishes(goal, self.archive.through)

    def tell(self, number: int, plan: Plan, failures: Sequence[Failure], ended: Sequence[SessionKey]) -> None:
        """What came of a generation so far."""
        told = self.archive.told(number)
        if "plan" not in told:
            self.archive.tell(number, **planned(plan, None))
        self.archive.tell(
            number,
            failures=[{"path": one.path, "reason": one.reason, "message": one.message} for one in failures],
            sessions_ended=told.get("sessions_ended", 0) + len(ended),
        )
