"""What a change is and whom it touches, in words without markup: what the forms for people share.

Names come from files and from the wire: they are made visible here. Passwords are fingerprints, and only
their change is told. It must not know which form is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from reconciler.plan.change import Change, Plan
from reconciler.plan.state import SessionRef, Value, split
from reconciler.plan.words import duration, share
from reconciler.site.escape import visible

NAMED: Final = 3
"""So many sessions are told one by one; of more, so many and their number."""

SIGN: Final = {"add": "+", "remove": "-", "update": "~", "heal": "^"}


def live_side(plan: Plan) -> str:
    """What the plan was made against."""
    if plan.live is None:
        return f"generation {plan.base_generation}, live sessions not seen"
    count = f"generation {plan.base_generation}, {_counted(plan.live, 'session')}"
    return count + (f" on {', '.join(map(visible, plan.served))}" if plan.served else "")


def grouped(changes: Sequence[Change]) -> list[tuple[Change, ...]]:
    """The changes that are told on one line: routes, which come and go by the dozen, together."""

    def kind(change: Change) -> object:
        return (change.op, "kernel.route") if split(change.path)[0] == "kernel.route" else change.path

    return [tuple(group) for _, group in groupby(changes, key=kind)]


def routes(group: Sequence[Change]) -> str:
    """Several routes in one: how many, and the first of them."""
    names = [visible(split(route.path)[1] or "") for route in group]
    more = ", ..." if len(names) > NAMED else ""
    return f"{len(names)} routes  {', '.join(names[:NAMED])}{more}"


def subject_and_difference(change: Change) -> str:
    """What changes, and how."""
    return f"{_subject(change.path)}  {_difference(change)}".rstrip()


def _subject(path: str) -> str:
    subject, name = split(path)
    if name is None:
        return path.removeprefix("forwarding.")
    if subject in _OF_A_DEVICE:
        return f"{visible(name)} {_OF_A_DEVICE[subject]}"
    return f"{_KINDS[subject]} {visible(name)}"


_KINDS: Final = {
    "users": "user",
    "interface": "interface",
    "kernel.address": "address",
    "kernel.route": "route",
    "kernel.nft.nat": "table",
    "kernel.nft.mss": "table",
    "nat.masquerade": "masquerade",
}
_OF_A_DEVICE: Final = {
    "forwarding.proxy_arp": "proxy_arp",
    "forwarding.rp_filter": "rp_filter",
    "kernel.up": "up",
    "kernel.mtu": "mtu",
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
        return _value(change.path, after if before is None else before)
    return f"{_value(change.path, before)} -> {_value(change.path, after)}"


def _field(key: str, before: object, after: object) -> str:
    """One differing setting of a user."""
    if key == "password":
        return "password changed"
    if key == "enabled":
        return "enabled" if after else "disabled"
    if key == "rate_limit":
        return f"rate_limit {before or 'none'} -> {after or 'none'}"
    return f"{key} {before or 'from the pool'} -> {after or 'from the pool'}"


def _value(path: str, value: Value | None) -> str:
    if isinstance(value, bool):
        # The kernel's switches as the kernel writes them, others as the file does.
        return str(int(value)) if path.startswith(("forwarding.", "kernel.")) else str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(visible, value)) or "none"
    return visible(str(value))


def dropped(change: Change) -> str:
    """Which sessions end; empty when none does."""
    sessions = change.dropped
    if not sessions:
        return ""
    named = name if change.path.startswith("users.") else name_and_user
    if len(sessions) > NAMED:
        return f"{len(sessions)} sessions: {', '.join(map(named, sessions[:NAMED]))}, ..."
    told = [f"{named(one)} {one.address or 'without address'} up {duration(one.uptime)}" for one in sessions]
    return f"session{'s' if len(sessions) > 1 else ''} {', '.join(told)}"


def later(change: Change, plan: Plan) -> str:
    """Which sessions keep what until when; empty when none does."""
    sessions = change.later
    if not sessions:
        return ""
    one = len(sessions) == 1
    if one:
        who = f"session {name(sessions[0])}"
    elif len(sessions) == (plan.live or 0) - len(plan.dropped):
        who = f"{len(sessions)} sessions"
    elif len(sessions) <= NAMED:
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
    return ", ".join(map(name, sessions[:NAMED])) + (", ..." if len(sessions) > NAMED else "")


def name(session: SessionRef) -> str:
    """The session id as the wire shows it."""
    return f"0x{session.id:04x}"


def name_and_user(session: SessionRef) -> str:
    """The same, and whose it is."""
    return f"{name(session)} {'nobody' if session.user is None else visible(session.user)}"


def totals(plan: Plan) -> str:
    """How many changes of which kind, and what becomes of how many sessions."""
    found = plan.totals
    counted = (("+", found.users_added), ("~", found.users_updated), ("-", found.users_removed))
    users = " ".join(f"{sign}{count}" for sign, count in counted if count)
    settings = f"settings ~{found.settings}" if found.settings else ""
    kernel = f"addresses and routes ~{found.kernel}" if found.kernel else ""
    drift = f"drift {found.drift}" if found.drift else ""
    parts = ", ".join(filter(None, [users and f"users {users}", settings, kernel, drift]))
    if found.live is None:
        return f"{parts}.  Sessions: not seen."
    if not found.dropped and not found.later:
        return f"{parts}.  Sessions: none touched."
    dropped = f"{found.dropped} dropped" + (f" ({share(found.dropped, found.live)})" if found.dropped else "")
    return f"{parts}.  Sessions: {dropped}, {found.later} later."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
