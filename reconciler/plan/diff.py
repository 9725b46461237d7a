"""The planner: what must change to turn what is into what should be, and whom that touches.

A function of its arguments: the loop calls it to act, a dry run calls it to tell, and after acting the loop
calls it again to see that nothing is left. Neighbours: ``plan.touch`` names the sessions. This module must
not know how a state is observed or a change performed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from reconciler.plan.change import Change, Op, Plan
from reconciler.plan.state import SessionRef, State, split
from reconciler.plan.touch import Live, Policies, declared
from reconciler.plan.words import duration
from reconciler.site.impact import Impact
from reconciler.site.place import Path, Place

_ORDER: Final[tuple[Op, ...]] = ("remove", "update", "add", "heal")


def make_plan(
    desired: State,
    actual: State,
    applied: State,
    sessions: Iterable[SessionRef] | None,
    places: Mapping[Path, Place],
    policies: Policies,
    *,
    base_generation: int = 0,
    drifting: Mapping[str, float] = MappingProxyType({}),
    differing: Iterable[str] | None = None,
) -> Plan:
    """Compare ``desired`` with ``actual``; the changes of the result, done to ``actual``, give ``desired``.

    ``applied`` is the state that was reached last, empty when none is known: what is wanted as it was then,
    but differs, is drift. ``sessions`` are all live ones, None when they cannot be seen. ``places`` are the
    site file's, perhaps over those of the file applied before, so that a removal has one too.
    ``drifting`` tells for how many seconds a path has differed; ``differing`` are the paths that differ, if
    somebody knows them already.
    """
    live = None if sessions is None else tuple(sessions)
    crowd = Live(live or (), desired, actual, policies)
    changes = []
    for path in paths_that_differ(desired, actual) if differing is None else differing:
        before, after = actual.get(path), desired.get(path)
        touched = crowd.touched_by(path, before, after)
        op = _op(path, desired, actual, applied)
        change = Change(
            op=op,
            path=path,
            before=before,
            after=after,
            impact=touched.worst,
            dropped=tuple(touched.dropped.values()),
            later=tuple(touched.later.values()),
            keeps=tuple(touched.keeps),
            where=_where(path, places),
            reason=_reason(op, path, drifting),
        )
        changes.append(change)
    if live is not None:
        changes = _settled(changes)
    changes.sort(key=_position)
    served = tuple(sorted(split(path)[1] or "" for path in actual if path.startswith("interface.")))
    return Plan(tuple(changes), base_generation, None if live is None else len(live), served)


def paths_that_differ(desired: State, actual: State) -> list[str]:
    """The paths at which the two have another value, or one of them has none."""
    differing = [path for path, value in desired.items() if actual.get(path) != value]
    return differing + [path for path in actual if path not in desired]


def _op(path: str, desired: State, actual: State, applied: State) -> Op:
    if applied and applied.get(path) == desired.get(path):
        return "heal"
    if path not in actual:
        return "add"
    return "update" if path in desired else "remove"


def _settled(changes: list[Change]) -> list[Change]:
    """The same changes, each with the impact it really has: a session that any of them drops has no later."""
    ended = {session.key for change in changes for session in change.dropped}
    settled = []
    for change in changes:
        later = tuple(session for session in change.later if session.key not in ended)
        impact = Impact.DROP if change.dropped else Impact.LATER if later else Impact.NONE
        settled.append(replace(change, impact=impact, later=later))
    return settled


def _position(change: Change) -> tuple[bool, bool, int, str]:
    """Users first, settings then, what drifted last."""
    return change.op == "heal", not change.path.startswith("users."), _ORDER.index(change.op), change.path


def _where(path: str, places: Mapping[Path, Place]) -> Place | None:
    subject, name = split(path)
    if subject == "kernel.address":
        return places.get(("local_ip",))
    keys = tuple(subject.split("."))
    if subject in {"users", "interface"}:
        return places.get((*keys, name or ""))
    return places.get(keys)


def _reason(op: Op, path: str, drifting: Mapping[str, float]) -> str:
    if op == "heal":
        return f"drift for {duration(drifting[path])}" if path in drifting else "drift"
    if op == "remove" and declared(path).borrowed:
        return "no longer managed: the value found before is put back"
    return ""
