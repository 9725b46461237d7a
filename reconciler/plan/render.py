"""A plan as people and machines read it.

The symbols carry the meaning, colour only repeats it. Names come from files and from the wire: they are
escaped wherever a person reads them. Passwords are fingerprints here, and only their change is told. This
module must not know how a plan is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from reconciler.plan.change import Change, Plan
from reconciler.plan.guard import Verdict
from reconciler.plan.state import SessionRef, Value, split
from reconciler.plan.words import duration, share
from reconciler.site.escape import visible, width
from reconciler.site.impact import Impact

FORMAT_VERSION: Final = 1
"""Version of the JSON form. Raised when a reader of an older one would be misled."""

_NAMED: Final = 3
"""So many sessions are told one by one; of more, so many and their number."""
_WIDEST: Final = 46
"""A first column that is wider pushes its own line only."""
_SIGN: Final = {"add": "+", "remove": "-", "update": "~", "heal": "^"}
_COLOUR: Final = {"add": "\x1b[32m", "remove": "\x1b[31m", "update": "\x1b[33m", "heal": "\x1b[36m"}
_PLAIN: Final = "\x1b[0m"


def as_text(
    plan: Plan,
    *,
    source: str = "site.yaml",
    notes: Sequence[str] = (),
    next_step: str = "",
    colour: bool = False,
) -> str:
    """The plan line by line: header, changes, totals, ``notes`` (verdicts of others), the next command.

    ``source`` names the file, and where known its revision. An empty plan begins ``No changes.``
    """
    header = f"{visible(source)}  {'->' if plan else '='}  {_live_side(plan)}"
    if not plan:
        return "\n".join(["No changes.", header, *notes, ""])
    groups = _grouped(plan.changes)
    rows = [_row(group, plan) for group in groups]
    first = max((width(row[0]) for row in rows if width(row[0]) <= _WIDEST), default=0)
    second = max(len(row[1]) for row in rows)
    lines = [header]
    for group, (what, line, impact, sessions) in zip(groups, rows, strict=True):
        sign = _SIGN[group[0].op]
        if colour:
            sign = f"{_COLOUR[group[0].op]}{sign}{_PLAIN}"
        gap = " " * (first - width(what))
        rest = f"{what}{gap}  {line:<{second}}  {impact:<5}  {sessions}"
        lines.append(f"  {sign} {rest}".rstrip())
    lines.append(_totals(plan))
    lines.extend(notes)
    if next_step:
        lines.append(f"next: {next_step}")
    return "\n".join([*lines, ""])


def as_json(plan: Plan, verdict: Verdict | None = None) -> dict[str, Any]:
    """A JSON-ready object. ``from`` and ``to`` are null where there is nothing; ``where`` is null for what
    no longer stands in the file; counts of sessions are null when live sessions could not be seen.
    ``guard`` is the guard's ``verdict``.
    """
    totals = plan.totals
    seen = plan.live is not None
    return {
        "format_version": FORMAT_VERSION,
        "id": plan.id,
        "base_generation": plan.base_generation,
        "changes": [_change_json(change) for change in plan.changes],
        "totals": {
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
        },
        **({"guard": verdict.as_json()} if verdict else {}),
    }


def _change_json(change: Change) -> dict[str, Any]:
    where = change.where
    touched = [(session, Impact.DROP) for session in change.dropped]
    touched += [(session, Impact.LATER) for session in change.later]
    return {
        "op": change.op,
        "path": change.path,
        "from": change.before,
        "to": change.after,
        "impact": change.impact.name,
        "sessions": [
            {
                "user": session.user,
                "id": session.id,
                "address": session.address,
                "mac": session.mac,
                "interface": session.interface,
                "impact": impact.name,
            }
            for session, impact in touched
        ],
        "where": None if where is None else {"line": where.line, "column": where.column},
        "reason": change.reason,
    }


def _live_side(plan: Plan) -> str:
    if plan.live is None:
        return f"generation {plan.base_generation}, live sessions not seen"
    count = f"generation {plan.base_generation}, {_counted(plan.live, 'session')}"
    return count + (f" on {', '.join(map(visible, plan.served))}" if plan.served else "")


def _grouped(changes: Sequence[Change]) -> list[tuple[Change, ...]]:
    """The changes that are told on one line: routes, which come and go by the dozen, together."""

    def kind(change: Change) -> object:
        return (change.op, "kernel.route") if split(change.path)[0] == "kernel.route" else change.path

    return [tuple(group) for _, group in groupby(changes, key=kind)]


def _row(group: Sequence[Change], plan: Plan) -> tuple[str, str, str, str]:
    """The columns of a line, without its sign: what, line, impact, what becomes of which sessions."""
    change = group[0]
    if len(group) > 1:
        names = [visible(split(route.path)[1] or "") for route in group]
        more = ", ..." if len(names) > _NAMED else ""
        return f"{len(names)} routes  {', '.join(names[:_NAMED])}{more}", "", "", change.reason
    what = f"{_subject(change.path)}  {_difference(change)}".rstrip()
    line = "" if change.where is None else f":{change.where.line}"
    impact = "" if change.impact is Impact.NONE else change.impact.name
    told = [_dropped(change), _later(change, plan), change.reason]
    if plan.live is None and change.impact is not Impact.NONE:
        told.insert(0, "live sessions not seen")
    return what, line, impact, "; ".join(filter(None, told))


def _subject(path: str) -> str:
    subject, name = split(path)
    if name is None:
        return path.removeprefix("forwarding.")
    if subject == "forwarding.proxy_arp":
        return f"{visible(name)} proxy_arp"
    return f"{_KINDS[subject]} {visible(name)}"


_KINDS: Final = {
    "users": "user",
    "interface": "interface",
    "kernel.address": "address",
    "kernel.route": "route",
}


def _difference(change: Change) -> str:
    before, after = change.before, change.after
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        told = [
            _field(key, before.get(key), after.get(key)) for key in after if before.get(key) != after.get(key)
        ]
        return ", ".join(told)
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        if change.op == "heal":
            return "missing" if before is None else "unexpected"
        return f"ip {after['ip']}" if isinstance(after, Mapping) and after.get("ip") else ""
    if before is None or after is None:
        return _value(after) if before is None else _value(before)
    return f"{_value(before)} -> {_value(after)}"


def _field(key: str, before: object, after: object) -> str:
    """One differing setting of a user."""
    if key == "password":
        return "password changed"
    if key == "enabled":
        return "enabled" if after else "disabled"
    return f"{key} {before or 'from the pool'} -> {after or 'from the pool'}"


def _value(value: Value | None) -> str:
    if isinstance(value, bool):
        # As the kernel writes its switches.
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(map(visible, value)) or "none"
    return visible(str(value))


def _dropped(change: Change) -> str:
    sessions = change.dropped
    if not sessions:
        return ""
    named = _name if change.path.startswith("users.") else _name_and_user
    if len(sessions) > _NAMED:
        return f"{len(sessions)} sessions: {', '.join(map(named, sessions[:_NAMED]))}, ..."
    told = [f"{named(one)} {one.address or 'without address'} up {duration(one.uptime)}" for one in sessions]
    return f"session{'s' if len(sessions) > 1 else ''} {', '.join(told)}"


def _later(change: Change, plan: Plan) -> str:
    sessions = change.later
    if not sessions:
        return ""
    one = len(sessions) == 1
    if one:
        who = f"session {_name(sessions[0])}"
    elif len(sessions) == (plan.live or 0) - len(plan.dropped):
        who = f"{len(sessions)} sessions"
    elif len(sessions) <= _NAMED:
        who = f"sessions {_first_of(sessions)}"
    else:
        who = f"{len(sessions)} sessions ({_first_of(sessions)})"
    if not change.keeps:
        return f"{who} {'stays until it ends' if one else 'stay until they end'}"
    things = " and ".join(change.keeps)
    if split(change.path)[0] == "users":
        return f"{who} {'stays' if one else 'stay'}; new {things} at next login"
    end = "it reconnects" if one else "they reconnect"
    return f"{who} {'keeps' if one else 'keep'} the old {things} until {end}"


def _first_of(sessions: Sequence[SessionRef]) -> str:
    return ", ".join(map(_name, sessions[:_NAMED])) + (", ..." if len(sessions) > _NAMED else "")


def _name(session: SessionRef) -> str:
    return f"0x{session.id:04x}"


def _name_and_user(session: SessionRef) -> str:
    return f"{_name(session)} {'nobody' if session.user is None else visible(session.user)}"


def _totals(plan: Plan) -> str:
    totals = plan.totals
    counted = (("+", totals.users_added), ("~", totals.users_updated), ("-", totals.users_removed))
    users = " ".join(f"{sign}{count}" for sign, count in counted if count)
    settings = f"settings ~{totals.settings}" if totals.settings else ""
    kernel = f"addresses and routes ~{totals.kernel}" if totals.kernel else ""
    drift = f"drift {totals.drift}" if totals.drift else ""
    parts = ", ".join(filter(None, [users and f"users {users}", settings, kernel, drift]))
    if totals.live is None:
        return f"{parts}.  Sessions: not seen."
    if not totals.dropped and not totals.later:
        return f"{parts}.  Sessions: none touched."
    dropped = f"{totals.dropped} dropped" + (
        f" ({share(totals.dropped, totals.live)})" if totals.dropped else ""
    )
    return f"{parts}.  Sessions: {dropped}, {totals.later} later."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
