"""Did an apply end a session that its plan had not named? Compares who was there before and after.

Pure. A session is itself only with its id, client, interface, address and start: one that keeps its id but
not the rest was ended and another begun. It must not know how sessions are ended or observed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from reconciler.engine.messages import SessionKey, SessionView

COMMANDED = frozenset(
    {
        "user_removed",
        "user_disabled",
        "sessions_lowered",
        "password_changed",
        "interface_removed",
        "terminated_by_operator",
        "shutdown",
    }
)
"""Reasons for a session's end that come from commands: any other is the subscriber's or the line's doing."""

_TOLERANCE = 2.0
"""Seconds by which two readings of one start may differ: it is counted back from a running clock."""

Key = tuple[str, str, int]


class Breach(NamedTuple):
    """A session that ended, or changed, without having been named."""

    session: SessionView
    why: str


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


def breaches(
    gone: Iterable[SessionView],
    ended: Iterable[SessionKey],
    reasons: Mapping[Key, str],
    *,
    witnessed: bool = True,
) -> list[Breach]:
    """Those of the missing sessions that we ended, or of whose end nobody heard (``reasons``) for a reason
    of their own. Of one without a login it is not always told: most come to nothing by themselves. Nor is it
    unless ``witnessed`` by one engine all the while: what another one had still to say died with it.
    """
    ours = {key(session) for session in ended}
    found: list[Breach] = []
    for session in gone:
        reason = reasons.get(key(session))
        if key(session) in ours:
            found.append(Breach(session, "ended by this apply"))
        elif reason is None and session["user"] is not None and witnessed:
            found.append(Breach(session, "ended without a word"))
        elif reason in COMMANDED:
            found.append(Breach(session, reason))
    return found


def _same(before: SessionView, after: SessionView | None) -> bool:
    return (
        after is not None
        and after["address"] == (before["address"] or after["address"])
        and after["user"] == (before["user"] or after["user"])
        and abs(after["since"] - before["since"]) <= _TOLERANCE
    )
