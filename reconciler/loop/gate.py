"""What the guard's verdicts lead to: which generation was let through, and which plan somebody may release.

A generation is judged when it is met, once: what was let through is carried out to the end, though what is
left of it in the middle may look large. Neighbours: ``plan.guard`` judges, ``loop.reconcile`` asks. It must
not know how anything is carried out.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from reconciler.plan.change import Plan
from reconciler.plan.guard import Verdict, same_or_milder
from reconciler.site.escape import visible

KEPT = 8
"""Plans that were shown, and can be released."""


class StalePlanError(Exception):
    """What would be done now is not what the plan said that somebody chose. One line."""

    def __init__(self, plan_id: str) -> None:
        super().__init__(f"plan {visible(plan_id)} is not what would be done now: look at the plan again")


@dataclass(frozen=True, slots=True)
class Held:
    """A change that waits for somebody: its ``plan`` as it was shown first, and why."""

    plan: Plan
    verdict: Verdict

    @property
    def message(self) -> str:
        """What is too much, and what can be done, in one line."""
        release = f"`reconciler apply SITE --allow-guard {self.plan.id}`"
        return f"plan {self.plan.id} {self.verdict.counts}: release it with {release}, or revert the edit"


class Gate:
    """``through`` is the generation that was let through last. Not thread-safe: its users take turns."""

    def __init__(self, through: int = 0) -> None:
        self._through = through
        self._released: Plan | None = None
        self._held: Plan | None = None
        self._shown: OrderedDict[str, Plan] = OrderedDict()

    def show(self, plan: Plan) -> Plan:
        """Remember that ``plan`` is being shown; gives it back."""
        self._shown[plan.id] = plan
        self._shown.move_to_end(plan.id)
        if len(self._shown) > KEPT:
            self._shown.popitem(last=False)
        return plan

    def hold(self, plan: Plan, verdict: Verdict) -> Held:
        """What is held: the plan that was held before if it says the same or more, so that its id does not
        change whenever a subscriber hangs up.
        """
        if self._held is None or not same_or_milder(plan, self._held):
            self._held = plan
        return Held(self.show(self._held), verdict)

    def release(self, plan_id: str, plan: Plan) -> bool:
        """Let ``plan``, the present one, through if it is still the one shown as ``plan_id``, or milder."""
        shown = self._shown.get(plan_id)
        if shown is None or not same_or_milder(plan, shown):
            return False
        self._released = shown
        return True

    def holds(self, generation: int, applied: int, plan: Plan, verdict: Verdict) -> bool:
        """Whether ``generation`` has to wait. One that is in force, or was let through, is only put right."""
        if generation in {applied, self._through}:
            return False
        if self.stops(plan, verdict):
            return True
        self.let(generation)
        return False

    def stops(self, plan: Plan, verdict: Verdict) -> bool:
        """Whether ``plan`` is past a limit, and nobody released it."""
        released = self._released is not None and same_or_milder(plan, self._released)
        return verdict.held and not released

    def let(self, generation: int) -> None:
        """``generation`` goes through."""
        self._through, self._released, self._held = generation, None, None
