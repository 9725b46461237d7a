"""A plan as JSON: the one form that other programs may rely on. A key once shipped keeps its meaning.

It must not know how a plan is made, nor who reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NotRequired, TypedDict

from reconciler.plan.change import Change, Op, Plan
from reconciler.plan.guard import Verdict, VerdictView
from reconciler.plan.state import SessionRef, Value
from reconciler.site.impact import Impact

ImpactName = Literal["NONE", "LATER", "DROP"]

_IMPACT: Final[Mapping[Impact, ImpactName]] = {
    Impact.NONE: "NONE",
    Impact.LATER: "LATER",
    Impact.DROP: "DROP",
}

FORMAT_VERSION: Final = 1
"""Version of the JSON form. Raised when a reader of an older one would be misled."""


class TouchedView(TypedDict):
    """A live session that a change touches."""

    user: str | None
    """Null before the login."""
    id: int
    """The PPPoE session id."""
    address: str | None
    """The subscriber's; null while it has none."""
    mac: str
    interface: str
    impact: Literal["LATER", "DROP"]
    """LATER: it goes on, and gets what is new when it reconnects. DROP: it ends."""


class WhereView(TypedDict):
    """Where something stands in the site file; both count from 1."""

    line: int
    column: int


_Ends = TypedDict(
    "_Ends",
    {
        "from": Value | None,
        "to": Value | None,
    },
)
"""In this spelling, because ``from`` is a word of Python's."""


class ChangeView(_Ends):
    """One path that is to get another value: ``from`` null where there is nothing yet, ``to`` null where
    there is to be nothing. Passwords are fingerprints.
    """

    op: Op
    """``heal``: the site did not change, but the machine did."""
    path: str
    """What changes: ``users.pablo``, ``mtu``, ``forwarding.proxy_arp.eth1``."""
    impact: ImpactName
    """The worst that befalls a session named here; where sessions could not be seen, the worst that could."""
    sessions: list[TouchedView]
    """Those that it touches, the dropped ones first."""
    where: WhereView | None
    """Null for what no longer stands in the file."""
    reason: str
    """Why, where it is not the file's change; empty else."""


class UserTotalsView(TypedDict):
    """Users whose declaration changes."""

    added: int
    updated: int
    removed: int


class SessionTotalsView(TypedDict):
    """Sessions, each counted once, by the worst that befalls it. Null: they could not be seen."""

    live: int | None
    dropped: int | None
    later: int | None


class TotalsView(TypedDict):
    """Counts over a plan."""

    users: UserTotalsView
    settings: int
    """Changes of anything else that is declared."""
    kernel: int
    """Addresses, routes and rules that come or go because something declared has changed."""
    drift: int
    """What is put back, which none of the others counts."""
    sessions: SessionTotalsView


class PlanView(TypedDict):
    """What must change to make the site true, and whom it touches (`apply --dry-run -o json`)."""

    format_version: int
    """Raised when a reader of an older one would be misled."""
    id: str
    """Twelve hexadecimal digits, the same while the plan says the same about the same sessions."""
    base_generation: int
    """The generation in force that it was made against; 0 for none."""
    changes: list[ChangeView]
    """In the order in which they are told; none: `No changes.`"""
    totals: TotalsView
    guard: NotRequired[VerdictView]
    """What the guard says to it."""


def as_json(plan: Plan, verdict: Verdict | None = None) -> PlanView:
    """A JSON-ready object. ``verdict`` is the guard's."""
    document: PlanView = {
        "format_version": FORMAT_VERSION,
        "id": plan.id,
        "base_generation": plan.base_generation,
        "changes": [_change(change) for change in plan.changes],
        "totals": totals_as_json(plan),
    }
    if verdict:
        document["guard"] = verdict.as_json()
    return document


def totals_as_json(plan: Plan) -> TotalsView:
    """The totals of a plan's JSON form."""
    totals = plan.totals
    seen = plan.live is not None
    return {
        "users": {
            "added": totals.users_added,
            "updated": totals.users_updated,
            "removed": totals.users_removed,
        },
        "settings": totals.settings,
        "kernel": totals.kernel,
        "drift": totals.drift,
        "sessions": {
            "live": totals.live,
            "dropped": totals.dropped if seen else None,
            "later": totals.later if seen else None,
        },
    }


def _change(change: Change) -> ChangeView:
    where = change.where
    return {
        "op": change.op,
        "path": change.path,
        "from": change.before,
        "to": change.after,
        "impact": _IMPACT[change.impact],
        "sessions": [
            *(_touched(session, "DROP") for session in change.dropped),
            *(_touched(session, "LATER") for session in change.later),
        ],
        "where": None if where is None else {"line": where.line, "column": where.column},
        "reason": change.reason,
    }


def _touched(session: SessionRef, impact: Literal["LATER", "DROP"]) -> TouchedView:
    return {
        "user": session.user,
        "id": session.id,
        "address": session.address,
        "mac": session.mac,
        "interface": session.interface,
        "impact": impact,
    }
