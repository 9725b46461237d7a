"""One look at everything, and the plan that follows from it.

Used by a pass, twice, and by a dry run. ``live.engine`` may be None, for a dry run without a daemon: then
only the kernel is seen. It must not change anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from reconciler.differing import difference
from reconciler.engine.messages import SessionView
from reconciler.plan.change import Plan
from reconciler.plan.diff import make_plan, paths_that_differ
from reconciler.plan.healing import under
from reconciler.plan.state import SessionRef, State, Value
from reconciler.resources.base import Live, Resource, Situation, Wanted
from reconciler.site.place import Path as Where
from reconciler.site.place import Place


@dataclass(frozen=True, slots=True)
class Picture:
    """What should be and what is, at one moment and in one shape."""

    at: Situation
    desired: State
    actual: State
    differing: Sequence[str]
    """The paths by which the two differ."""

    def plan(
        self,
        applied: State,
        places: Mapping[Where, Place],
        base_generation: int,
        drifting: Mapping[str, float] = MappingProxyType({}),
    ) -> Plan:
        """What is left to do. ``drifting``: for how many seconds a path has differed."""
        engine = self.at.live.engine
        seen = None if engine is None else [reference(s, engine["time"]) for s in self.at.live.sessions]
        plan = make_plan(
            self.desired,
            self.actual,
            applied,
            seen,
            places,
            self.at.wanted.site,
            base_generation=base_generation,
            drifting=drifting,
            differing=self.differing,
        )
        return under(plan, self.at.wanted.site.self_heal)


def look(resources: Sequence[Resource], at: Situation, before: Picture | None = None) -> Picture:
    """Ask every resource. Raises what they raise. Only what is not the same as in the picture ``before`` is
    compared.
    """
    desired = _union(resource.desired(at) for resource in resources)
    actual = _union(resource.observe(at) for resource in resources)
    if before is None:
        return Picture(at, desired, actual, paths_that_differ(desired, actual))
    wishes, facts = difference(before.desired, desired), difference(before.actual, actual)
    paths = dict.fromkeys((*before.differing, *wishes.new, *wishes.gone, *facts.new, *facts.gone))
    return Picture(at, desired, actual, [path for path in paths if desired.get(path) != actual.get(path)])


class Wishes:
    """Tells one wish from another, by a digest of all that is desired whoever is live.

    It is a sum over the paths, brought up to date by what differs from the wish before: to write 100,000
    users down at every edit would take longer than to carry it out.
    """

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = resources
        self._desired: State = {}
        self._sum = 0

    def digest(self, wanted: Wanted) -> str:
        """The digest of a wish: the same whichever came before."""
        situation = Situation(wanted, Live(), 0)
        desired = _union(resource.desired(situation) for resource in self._resources)
        before = self._desired
        changed, gone = difference(before, desired)
        new = [(path, desired[path]) for path in changed]
        old = [(path, before[path]) for path in (*changed, *gone) if path in before]
        self._sum = (self._sum + sum(map(_number, new)) - sum(map(_number, old))) % _MODULUS
        self._desired = desired
        return f"{self._sum:064x}"


_MODULUS: Final = 1 << 256


def _number(item: tuple[str, Value]) -> int:
    return int.from_bytes(sha256(json.dumps(item, sort_keys=True, default=dict).encode()).digest(), "big")


def reference(session: SessionView, now: float) -> SessionRef:
    """A session as plans name it, ``now`` being Unix time by the engine's clock."""
    return SessionRef(
        user=session["user"],
        id=session["id"],
        interface=session["interface"],
        mac=session["mac"],
        address=session["address"],
        since=session["since"],
        uptime=max(0.0, now - session["since"]),
        generation=session["generation"],
    )


def _union(states: Iterable[State]) -> dict[str, Value]:
    union: dict[str, Value] = {}
    for state in states:
        union.update(state)
    return union
