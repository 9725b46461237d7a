"""How a pass ended: settled, again in a while, or blocked; and all that is worth telling of it.

Made by ``loop.reconcile``, told by ``loop.announce``, turned into conditions and back-off by
``loop.conditions``. Values only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.engine.messages import Hello
from reconciler.loop.accounts import Breach
from reconciler.loop.drift import Entry
from reconciler.loop.gate import Held
from reconciler.loop.keeping.course import Bearing
from reconciler.loop.reading.intake import Intake
from reconciler.plan.change import Plan
from reconciler.plan.guard import Verdict
from reconciler.resources.base import Failure, Live


@dataclass(frozen=True, slots=True)
class Settled:
    """Everything is as it should be."""


@dataclass(frozen=True, slots=True)
class Again:
    """All is well but not yet done: look again in ``after`` seconds."""

    after: float
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """Something stands in the way. ``reason`` is one word for machines, ``message`` one line that says what
    to do. ``retry_in`` seconds if it is known when to try again, else with growing pauses.
    """

    reason: str
    message: str
    retry_in: float | None = None


End = Settled | Again | Blocked


@dataclass(frozen=True, slots=True)
class Report:
    """One pass. ``intake`` is the file as just read, good or not; ``desired`` and ``applied`` are
    generations, 0 for none. ``plan`` is what the pass set out to do, ``left`` what remained after it; both
    None if it did not get so far. ``drifted`` and ``healed`` are what was found and put back in this pass.
    ``verdict`` is what the guard said of the file's change, and ``held`` the change if it holds it: the pass
    then did what it takes to keep what was let through before. ``took``: seconds that the generation needed,
    since it was let through, as far as it is now. ``bearing``: what keeps the file from being followed;
    ``standing``: the generation that was let through last, 0 for none.
    """

    end: End
    intake: Intake
    desired: int = 0
    applied: int = 0
    plan: Plan | None = None
    left: Plan | None = None
    failures: tuple[Failure, ...] = ()
    breaches: tuple[Breach, ...] = ()
    drifted: tuple[Entry, ...] = ()
    healed: tuple[Entry, ...] = ()
    live: Live | None = None
    hello: Hello | None = None
    newly_applied: bool = False
    held: Held | None = None
    verdict: Verdict | None = None
    took: float = 0.0
    bearing: Bearing = field(default_factory=Bearing)
    standing: int = 0
