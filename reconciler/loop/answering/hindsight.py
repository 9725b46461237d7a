"""Looking back: the generations as they are shown, and what going from one to another does.

Nothing that is shown has a secret in it: passwords are fingerprints in plans, and held back in texts.
Neighbours: ``keeping.archive`` has what was, ``plan`` compares. It must not change anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from reconciler.loop.keeping.archive import NotKeptError
from reconciler.loop.keeping.generations import Generation
from reconciler.loop.picture import Picture
from reconciler.loop.reading.goal import Goal
from reconciler.loop.reconcile import Reconciler
from reconciler.plan import render
from reconciler.plan.diff import paths_that_differ
from reconciler.plan.state import State
from reconciler.plan.words import moment
from reconciler.site.difference import as_diff
from reconciler.site.load import load

LISTED: Final = 100
"""Generations in a list, where nobody says how many."""


def listing(reconciler: Reconciler, limit: int) -> list[dict[str, Any]]:
    """The newest generations, the newest first."""
    kept = reconciler.history.kept
    return [_row(reconciler, one, one.number in kept) for one in reconciler.history.newest(limit)]


def one(reconciler: Reconciler, number: int) -> dict[str, Any] | None:
    """One generation with its plan and what came of it; None if there is none of that number."""
    found = reconciler.history.generation(number)
    if found is None:
        return None
    told = reconciler.archive.told(number)
    return {
        **_row(reconciler, found, number in reconciler.history.kept),
        "plan": told.get("plan"),
        "text": told.get("text", ""),
        "failures": told.get("failures", []),
        "sessions_ended": told.get("sessions_ended"),
    }


def _row(reconciler: Reconciler, found: Generation, kept: bool) -> dict[str, Any]:
    return {
        "number": found.number,
        "state": _state(reconciler, found, kept),
        "created": moment(found.created),
        "applied": None if found.applied is None else moment(found.applied),
        "commit": found.commit,
        "author": found.author,
        "dirty": found.dirty,
        "sha256": found.sha256,
        "origin": found.cause.origin,
        "origin_generation": found.cause.source,
        "by": found.cause.by or None,
        "confirmed": {"confirmed": True, "undone": False}.get(found.outcome or ""),
        "kept": kept,
    }


def _state(reconciler: Reconciler, found: Generation, kept: bool) -> str:
    pending = reconciler.course.bearing.pending
    if found.number == reconciler.archive.through:
        if pending and pending.generation == found.number:
            return "on_trial"
        return "in_force" if found.number == reconciler.history.applied else "in_part"
    if found.outcome == "undone":
        return "undone"
    if found.applied is not None:
        return "applied"
    # Content is kept of what was let through: something of it may have been done.
    return "in_part" if kept else "not_applied"


@dataclass(frozen=True, slots=True)
class Side:
    """One of two things to compare: what it is called, what it wishes, and the state that it is or makes."""

    name: str
    goal: Goal
    state: State
    live: bool = False


def sides(reconciler: Reconciler, *names: str) -> list[Side]:
    """What names mean: a generation's number, ``live`` or ``file``. Raises ``NotKeptError`` for what is none
    of them, and what ``Reconciler.plan`` raises.
    """
    with reconciler.turn:
        return [_side(reconciler, name) for name in names]


def comparison(reconciler: Reconciler, first: Side, second: Side) -> dict[str, Any]:
    """What going from ``first`` to ``second`` does, and how their texts differ."""
    with reconciler.turn:
        picture = reconciler.picture(second.goal)
        differing = paths_that_differ(second.state, first.state)
        plan = Picture(picture.at, second.state, first.state, differing).plan(
            reconciler.applied_state() if first.live else {},
            {**first.goal.places, **second.goal.places},
            reconciler.archive.through,
        )
    text = render.as_text(plan, source=f"{first.name} -> {second.name}")
    return {
        "from": first.name,
        "to": second.name,
        "different": bool(plan),
        "plan": render.as_json(plan),
        "text": text,
        "diff": _texts(first, second),
    }


def _side(reconciler: Reconciler, name: str) -> Side:
    if name == "live":
        standing = reconciler.archive.standing()
        if standing is None:
            raise NotKeptError("nothing is in force yet, or it is not kept")
        number, goal = standing
        return Side(f"live (generation {number})", goal, reconciler.picture(goal).actual, live=True)
    if name == "file":
        goal = reconciler.read_file()
        state = reconciler.picture(goal).desired if goal.wanted else {}
        return Side(reconciler.path.name, goal, state)
    if not name.isascii() or not name.isdecimal() or len(name) > 9:
        raise NotKeptError("a generation's number, `live` or `file` is wanted")
    goal = reconciler.archive.goal(int(name))
    return Side(f"generation {int(name)}", goal, reconciler.picture(goal).desired)


def _texts(first: Side, second: Side) -> str:
    old, new = first.goal.content, second.goal.content
    if old == new:
        return ""
    return as_diff(old, new, load(old, first.name).source, load(new, second.name).source)
