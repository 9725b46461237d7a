"""Why a subscriber is not online, or was not: an account of the last attempts, in plain words.

Pure: from the events that are kept and what the engine shows now. Neighbours: ``attempts`` makes attempts of
events, ``explain`` has the words for each reason. It must not know who asks, nor how the answer is printed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from reconciler.engine.messages import Observation
from reconciler.loop.telling.attempts import Attempt, attempts
from reconciler.loop.telling.events import Events
from reconciler.loop.telling.explain import IGNORED, ROGUE, UNANSWERED, WINDOWS
from reconciler.plan.words import duration, moment
from reconciler.site.escape import visible

SHOWN = 10
"""Attempts in an account."""

_MENDED = "that is mended since: dial again"
_GUESSES = frozenset({"wrong_password", "unknown_user", "locked_out"})
_ALIKE = 0.75
_MAC = re.compile(r"([0-9a-f]{2}([:-]?)(?:[0-9a-f]{2}\2){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})")


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to go by. ``engine`` None: it does not answer. Times are Unix time; events were listened
    for ``since`` then.
    """

    events: Events
    engine: Observation | None
    since: float
    now: float


def account(name: str, scene: Scene) -> dict[str, Any]:
    """All about a user, or about a client by its MAC address, as a JSON-ready object."""
    case = _Case(name, scene)
    return {
        "name": case.mac or name,
        "kind": "mac" if case.mac else "user",
        "known": case.known,
        "enabled": case.enabled,
        "online": bool(case.online),
        "summary": case.summary(),
        "advice": list(dict.fromkeys(case.advice())),
        "windows": [{"number": number, "text": WINDOWS[number]} for number in case.windows()],
        "attempts": [one.view() for one in case.attempts[:SHOWN]],
        "listening_since": moment(scene.since),
    }


def as_mac(text: str) -> str | None:
    """A MAC address in any usual form (``02-00-5E-..``, ``0200.5e..``) as ``02:00:5e:..``; else None."""
    if not _MAC.fullmatch(text.lower()):
        return None
    return bytes.fromhex(re.sub("[.:-]", "", text)).hex(":")


class _Case:
    """One user or client. ``known``: whether there is such a user; None for a client, and where nobody can
    tell.
    """

    def __init__(self, name: str, scene: Scene) -> None:
        self._scene = scene
        self._users = scene.engine["users"] if scene.engine else {}
        self._name = name
        self.mac = None if name in self._users else as_mac(name)
        self.known = None if self.mac or scene.engine is None else name in self._users
        self.enabled = self._users[name]["enabled"] if self.known else None
        self.attempts = self._find()
        self.online = [one for one in self.attempts if one.outcome == "online"]

    def summary(self) -> str:
        """What is the matter."""
        who = visible(self.mac or self._name)
        if self.online:
            since = self.online[0].time
            lasting = "" if since is None else f" for {duration(self._scene.now - since)}"
            return f"{who} is online{lasting}: {_where(self.online[0])}."
        parts = []
        if self.known is False:
            parts.append(f"site.yaml has no user {who}.")
        if self.enabled is False:
            parts.append(f"{who} is disabled in site.yaml.")
        if not self.attempts:
            since_when = moment(self._scene.since)[:19].replace("T", " ")
            parts.append(f"Nothing was heard from {who} since the daemon began to listen, {since_when} UTC.")
        else:
            parts += [f"{who} is not online.", self._last(self.attempts[0])]
        return " ".join(parts)

    def advice(self) -> Iterable[str]:
        """What to do, the likeliest first."""
        if self.online:
            replaced = [one.advice for one in self.attempts if one.reason == "replaced"]
            return replaced[:1] if len(replaced) > 1 else []
        last = [self._after(self.attempts[0])] if self.attempts else self._silence()
        return [*self._likely_names(), *filter(None, last), *self._waiting()]

    def windows(self) -> tuple[int, ...]:
        """The error numbers that a Windows subscriber sees, the likeliest first."""
        if self.online:
            return ()
        return self.attempts[0].means.windows if self.attempts else UNANSWERED

    def _find(self) -> list[Attempt]:
        events, engine = self._scene.events, self._scene.engine
        told = events.of_mac(self.mac) if self.mac else events.of_user(self._name)
        if engine is None:
            return attempts(told, None)
        wanted = self.mac or self._name
        live = [one for one in engine["sessions"] if (one["mac"] if self.mac else one["user"]) == wanted]
        return attempts(told, live)

    def _last(self, one: Attempt) -> str:
        when = f"{duration(self._scene.now - one.last)} ago"
        match one.outcome:
            case "refused":
                return f"The last login, {when}, was refused: {one.means.says}."
            case "failed":
                return f"The last call, {when}, did not come as far as a login: {one.means.says}."
            case "closed":
                return f"The last session ended {when}: {one.means.says}."
        return f"A call is under way: {_where(one)}."

    def _likely_names(self) -> list[str]:
        """A name that was mistyped: by the operator who asks, or by the subscriber who called."""
        if self.known is None:
            return []
        if not self.known:
            close = _alike(self._name, self._users)
            return [f"there is a user with almost the same name: {visible(user)}" for user in close]
        strangers = [name for name in self._scene.events.users() if name not in self._users]
        return [
            f"somebody calls as {visible(name)}, whom site.yaml does not have: correct the name on the"
            " subscriber's side"
            for name in _alike(self._name, strangers)
        ]

    def _after(self, one: Attempt) -> str:
        """What to do about an attempt, unless it was done since."""
        match one.reason:
            case "unknown_user" | "user_removed":
                mended = bool(self.known)
            case "user_disabled":
                mended = bool(self.enabled)
            case "drained":
                mended = self._scene.engine is not None and not self._scene.engine["draining"]
            case _:
                mended = False
        return _MENDED if mended else one.advice

    def _waiting(self) -> list[str]:
        """Who has failed so often in a row that there is no answer at all for a while."""
        limits = self._scene.engine["settings"].get("limits") if self._scene.engine else None
        failures = list(takewhile(_is_guess, self.attempts))
        if not limits or not 0 < limits["failed_logins"] <= len(failures):
            return []
        if self._scene.now - failures[0].last > limits["lockout"]:
            return []
        wait = f"at most {limits['lockout']} s after the last"
        return [f"after {len(failures)} failed logins in a row there is no answer at all for a while, {wait}"]

    def _silence(self) -> list[str]:
        """Why there may be nothing to tell."""
        engine = self._scene.engine
        if engine is None:
            return ["the engine does not answer, so nobody can dial in: see `reconciler status`"]
        listeners = engine["listeners"].values()
        if not listeners:
            return ["no interface is served: see `reconciler status`"]
        names = " ".join(listener["interface"] for listener in listeners)
        down = [listener["interface"] for listener in listeners if not listener["up"]]
        advice = [f"{name} is down: plug its cable in, or `ip link set {name} up`" for name in down]
        advice.append(f"run `reconciler trace` and dial again, to see whether anything arrives on {names}")
        ignored = [
            f"{engine['drops'][why]} {text}" for why, text in IGNORED.items() if why in engine["drops"]
        ]
        if ignored:
            advice.append(f"calls without an answer since the engine was started: {'; '.join(ignored)}")
        if ROGUE in engine["drops"]:
            advice.append("another access concentrator answers on the same line, and may have taken the call")
        return advice


def _is_guess(one: Attempt) -> bool:
    return one.outcome == "refused" and one.reason in _GUESSES


def _alike(name: str, others: Iterable[str]) -> list[str]:
    """Names that differ in capitals, blanks, a realm or a letter or two."""
    plain = {_plain(other): other for other in others}
    return [plain[close] for close in difflib.get_close_matches(_plain(name), plain, 2, _ALIKE)]


def _plain(name: str) -> str:
    return name.casefold().strip().partition("@")[0]


def _where(one: Attempt) -> str:
    return f"session 0x{one.id:04x} of {one.mac} on {one.interface}"
