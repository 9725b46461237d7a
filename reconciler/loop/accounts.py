"""Did an apply end a session that its plan had not named? Compares who was there before and after.

Pure. A session is itself only with its id, client, interface, address and start: one that keeps its id but
not the rest was ended and another begun. Why one ended is told by the very look that misses it: events may
come later than that, or to nobody. It must not know how sessions are ended or observed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from reconciler.engine.messages import Observation, SessionKey, SessionView

COMMANDED = frozenset(
    {
        "user_removed",
        "user_disabled",
        "sessions_lowered",
        "password_changed",
        "interface_removed",
        "shutdown",
    }
)
"""Reasons for a session's end that come from what an apply commands: any other is the subscriber's, the
line's or an operator's doing.
"""

_TOLERANCE = 2.0
"""Seconds by which two readings of one start may differ: it is counted back from a running clock."""

Key = tuple[str, str, int]


class Breach(NamedTuple):
    """A session that ended, or changed, without having been named: it was there at the first look and not at
    the second, both in Unix time.
    """

    session: SessionView
    why: str
    between: tuple[float, float]


def key(session: SessionView | SessionKey) -> Key:
    """What tells a session from all others: interface, client MAC, session id."""
    return session["interface"], session["mac"], session["id"]


def missing(
    before: Iterable[SessionView], after: Iterable[SessionView], predicted: Iterable[Key]
) -> list[SessionView]:
    """The sessions of ``before`` that are no longer what they were and that nobody predicted to end."""
    spared = set(predicted)
    still = {key(session): session for session in after if session["state"] != "terminate"}
    return [
        session
        for session in before
        if key(session) not in spared and not _same(session, still.get(key(session)))
    ]


def reasons(seen: Observation) -> dict[Key, str]:
    """Why sessions are over or being ended, as far as a look shows it."""
    over = {key(one): one["reason"] for one in seen["gone"] if one["reason"] is not None}
    return over | {key(one): one["ending"] for one in seen["sessions"] if "ending" in one}


def breaches(
    gone: Iterable[SessionView],
    ended: Iterable[SessionKey],
    why: Mapping[Key, str],
    between: tuple[float, float],
    *,
    witnessed: bool = True,
) -> list[Breach]:
    """Those of the missing sessions that we ended, or for whose end there is no reason (``why``) of their
    own. One without a login was nobody's to lose: most come to nothing by themselves, and who logs in while a
    plan is carried out gets what it says. No reason is told unless ``witnessed`` by one engine all the while:
    why it was, died with the other.
    """
    ours = {key(session) for session in ended}
    found: list[Breach] = []
    for session in gone:
        if session["user"] is None:
            continue
        reason = why.get(key(session))
        if key(session) in ours:
            found.append(Breach(session, f"ended by this apply ({reason or 'no reason told'})", between))
        elif reason is None and witnessed:
            found.append(Breach(session, "no reason told", between))
        elif reason in COMMANDED:
            found.append(Breach(session, reason, between))
    return found


def _same(before: SessionView, after: SessionView | None) -> bool:
    return (
        after is not None
        and after["address"] == (before["address"] or after["address"])
        and after["user"] == (before["user"] or after["user"])
        and abs(after["since"] - before["since"]) <= _TOLERANCE
    )
