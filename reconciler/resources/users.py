"""``users``: who may log in.

A few changes go to the engine in one request, all or nothing, so that an address can pass from one user to
another without a moment in which both or neither have it. Many are sent in batches, since the engine serves
nobody while it takes one; what is taken away comes first.

What is known of a user is kept for as long as it is what it was: to make 100,000 values anew at every look
takes longer than all the rest of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from reconciler.differing import difference
from reconciler.engine.messages import RemovedUser, Secret, SessionKey, UserEntry, UserView
from reconciler.plan.change import Change
from reconciler.plan.state import State, Value
from reconciler.resources.base import Failure, Outcome, Situation, Wanted, name_in, refused
from reconciler.resources.engine import EngineClient, RefusedError
from reconciler.site import hashes
from reconciler.site.secrets import UserSecret
from reconciler.site.user import User
from reconciler.site.values import rate_text

BATCH: Final = 100
"""Users in a request: the engine takes them in a few milliseconds."""


class Users:
    subjects = frozenset({"users"})

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine
        self._wanted: Wanted | None = None
        self._known: Mapping[str, UserView] = {}
        self._desired: State = {}
        self._observed: State = {}

    def desired(self, at: Situation) -> State:
        before, wanted = self._wanted, at.wanted
        if before is not wanted:
            users, prints = wanted.site.users, wanted.fingerprints
            old_users, old_prints = (before.site.users, before.fingerprints) if before else ({}, {})
            declared = difference(old_users, users)
            names = dict.fromkeys([*declared.new, *difference(old_prints, prints).new])
            new = {name: _desired(users[name], prints[name]) for name in names}
            self._wanted, self._desired = wanted, _renewed(self._desired, declared.gone, new)
        return self._desired

    def observe(self, at: Situation) -> State:
        if at.live.engine is None:
            return {}
        before, known = self._known, at.live.engine["users"]
        if before is not known:
            seen = difference(before, known)
            new = {name: _observed(known[name]) for name in seen.new}
            self._known, self._observed = known, _renewed(self._observed, seen.gone, new)
        return self._observed

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:
        ended: list[SessionKey] = []
        failures: list[Failure] = []
        for start in range(0, len(changes), BATCH):
            batch = changes[start : start + BATCH]
            try:
                ended += self._carry_out(batch, at)
            except RefusedError as error:
                failures += refused(batch, error).failures
        return Outcome(tuple(failures), tuple(ended))

    def _carry_out(self, changes: Sequence[Change], at: Situation) -> list[SessionKey]:
        put = [_entry(name_in(change.path), at.wanted) for change in changes if change.after is not None]
        remove: list[RemovedUser] = [
            {"name": name_in(change.path), "sessions": at.wanted.site.on_remove}
            for change in changes
            if change.after is None
        ]
        return self._engine.users(at.generation, put, remove)


def _renewed(state: State, gone: Iterable[str], new: Mapping[str, Value]) -> State:
    """The users' part of a state without those that are ``gone``, and with the ``new`` ones. What is equal
    again stays the very same, so that whoever compares need not look into it.
    """
    after = dict(state)
    for name in gone:
        del after[f"users.{name}"]
    for name, value in new.items():
        path = f"users.{name}"
        if after.get(path) != value:
            after[path] = value
    return after


def _desired(user: User, fingerprint: str) -> Value:
    return {
        "password": fingerprint,
        "ip": str(user.ip) if user.ip else None,
        "enabled": user.enabled,
        "sessions": user.sessions,
        "rate_limit": _limit(user.rate_limit.down or 0, user.rate_limit.up or 0),
    }


def _observed(user: UserView) -> Value:
    return {
        "password": user["fingerprint"],
        "ip": user["address"],
        "enabled": user["enabled"],
        "sessions": user["sessions"],
        "rate_limit": _limit(user["rate"]["down"], user["rate"]["up"]),
    }


def _limit(down: int, up: int) -> str | None:
    """A rate limit in the plan's words."""
    told = [f"{way} {rate_text(rate)}" for way, rate in (("down", down), ("up", up)) if rate]
    return ", ".join(told) or None


def _entry(name: str, wanted: Wanted) -> UserEntry:
    user = wanted.site.users[name]
    return {
        "name": name,
        "secret": _secret(wanted.secrets[name]),
        "address": str(user.ip) if user.ip else None,
        "enabled": user.enabled,
        "sessions": user.sessions,
        "rate": {"down": user.rate_limit.down or 0, "up": user.rate_limit.up or 0},
        "fingerprint": wanted.fingerprints[name],
        "on_disable": wanted.site.on_remove,
        "on_password_change": wanted.site.on_password_change,
    }


def _secret(known: UserSecret) -> Secret:
    text = known.secret.reveal()
    match known.kind:
        case "password":
            return {"kind": "password", "text": text}
        case "nt_hash":
            return {"kind": "nt_hash", "hash": text}
        case "scrypt":
            made = hashes.scrypt(text)
            return {
                "kind": "scrypt",
                "n": made.n,
                "r": made.r,
                "p": made.p,
                "salt": made.salt.hex(),
                "key": made.key.hex(),
            }
