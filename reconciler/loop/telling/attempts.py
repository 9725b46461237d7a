"""A subscriber's events as attempts: one for each session, from its beginning to its end.

Pure. Neighbours: ``why`` tells about them; ``explain`` has the words. It must not know where events are kept.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from reconciler.engine.messages import SessionState, SessionView
from reconciler.loop.telling.events import Event
from reconciler.loop.telling.explain import Explanation, explanation
from reconciler.plan.words import moment
from reconciler.site.escape import visible

Outcome: TypeAlias = Literal["online", "dialling", "closed", "refused", "failed"]
_Key: TypeAlias = tuple[str, str, int]

_ENDING = Explanation("it is being ended at this moment")
_UNSEEN = Explanation("ended while nobody was listening: the engine was gone, or the daemon was not running")


@dataclass(frozen=True, slots=True)
class Attempt:
    """``time`` and ``ended`` are Unix time, None where unknown. ``reason`` is the event's word;
    ``circuit_id`` and ``remote_id`` are the line's, where a DSLAM or switch tells them.
    """

    outcome: Outcome
    time: float | None
    ended: float | None
    user: str | None
    mac: str
    id: int
    interface: str
    circuit_id: str | None = None
    remote_id: str | None = None
    reason: str | None = None
    means: Explanation = Explanation("")  # noqa: RUF009 - a constant

    @property
    def key(self) -> _Key:
        return self.interface, self.mac, self.id

    @property
    def last(self) -> float:
        """When something happened last."""
        return self.ended or self.time or 0.0

    @property
    def advice(self) -> str:
        """What to do, with this subscriber's names filled in."""
        name = shlex.quote(visible(self.user or "USER"))
        return self.means.advice.format(user=name, mac=self.mac, interface=self.interface)

    def view(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        return {
            "time": None if self.time is None else moment(self.time),
            "ended": None if self.ended is None else moment(self.ended),
            "outcome": self.outcome,
            "reason": self.reason,
            "explanation": self.means.says,
            "advice": self.advice,
            "windows": list(self.means.windows),
            "user": self.user,
            "mac": self.mac,
            "id": self.id,
            "interface": self.interface,
            "circuit_id": self.circuit_id,
            "remote_id": self.remote_id,
        }


def attempts(events: Iterable[Event], live: Sequence[SessionView] | None) -> list[Attempt]:
    """The attempts that events tell of, and those of the live sessions (None: not known), newest first."""
    found: list[Attempt] = []
    for event in events:
        _take(found, event)
    if live is not None:
        states = {(one["interface"], one["mac"], one["id"]): one["state"] for one in live}
        found = [_settled(one, states.get(one.key)) for one in found]
        found = [one for one in found if one.outcome != "online"]
        found += [_of(session) for session in live if session["state"] != "terminate"]
    return sorted(found, key=lambda attempt: attempt.last, reverse=True)


def _take(found: list[Attempt], event: Event) -> None:
    mac, number, interface = event["mac"], event["id"], event["interface"]
    if mac is None or number is None or interface is None:
        return
    line = event.get("circuit_id"), event.get("remote_id")
    new = Attempt("online", event["time"], None, event["user"], mac, number, interface, *line)
    place = next((index for index in reversed(range(len(found))) if found[index].key == new.key), None)
    before = "" if place is None else found[place].outcome
    ended = replace(new, reason=event["reason"], means=explanation(event["type"], event["reason"]))
    match event["type"]:
        case "session_opened" if before != "online":  # else IPCP was only negotiated anew
            found.append(new)
        case "session_closed":
            # Without a beginning: it is long ago, or the subscriber logged in and came no further.
            start = found.pop(place).time if place is not None and before == "online" else None
            found.append(replace(ended, outcome="closed", time=start, ended=event["time"]))
        case "login_refused":
            found.append(replace(ended, outcome="refused"))
        case "dial_failed" if before != "refused":
            found.append(replace(ended, outcome="failed"))


def _settled(attempt: Attempt, state: SessionState | None) -> Attempt:
    """Of whose end nobody has heard, but which is over, or as good as over."""
    if attempt.outcome != "online" or state not in (None, "terminate"):
        return attempt
    return replace(attempt, outcome="closed", means=_ENDING if state else _UNSEEN)


def _of(session: SessionView) -> Attempt:
    outcome: Outcome = "online" if session["state"] == "opened" else "dialling"
    return Attempt(
        outcome,
        session["since"],
        None,
        session["user"],
        session["mac"],
        session["id"],
        session["interface"],
        session["circuit_id"],
        session["remote_id"],
    )
