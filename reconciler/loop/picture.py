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

from reconciler.engine.messages import SessionView
from reconciler.plan.change import Plan
from reconciler.plan.diff import make_plan
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

    def plan(
        self,
        applied: State,
        places: Mapping[Where, Place],
        base_generation: int,
        drifting: Mapping[str, float] = MappingProxyType({}),
    ) -> Plan:
        """What is left to do. ``drifting``: for how many seconds a path has differed."""
        seen = None if self.at.live.engine is None else [reference(s) for s in self.at.live.sessions]
        return make_plan(
            self.desired,
            self.actual,
            applied,
            seen,
            places,
            self.at.wanted.site,
            base_generation=base_generation,
            drifting=drifting,
        )


def look(resources: Sequence[Resource], at: Situation) -> Picture:
    """Ask every resource. Raises what they raise."""
    return Picture(
        at,
        _union(resource.desired(at) for resource in resources),
        _union(resource.observe(at) for resource in resources),
    )


def digest(resources: Sequence[Resource], wanted: Wanted) -> str:
    """What tells one wish from another: a hash of all that is desired whoever is live."""
    desired = _union(resource.desired(Situation(wanted, Live(), 0)) for resource in resources)
    return sha256(json.dumps(desired, sort_keys=True, default=dict).encode()).hexdigest()


def reference(session: SessionView) -> SessionRef:
    """A session as plans name it."""
    return SessionRef(
        user=session["user"],
        id=session["id"],
        interface=session["interface"],
        mac=session["mac"],
        address=session["address"],
        since=session["since"],
        uptime=session["uptime"],
        generation=session["generation"],
    )


def _union(states: Iterable[State]) -> dict[str, Value]:
    return {path: value for state in states for path, value in state.items()}
