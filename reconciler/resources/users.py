"""``users``: who may log in.

A few changes go to the engine in one request, all or nothing, so that an address can pass from one user to
another without a moment in which both or neither have it. Many are sent in batches, since the engine serves
nobody while it takes one; what is taken away comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Generic, TypeAlias, TypeVar

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

T = TypeVar("T")
Declared: TypeAlias = tuple[User, str]
"""A user and the fingerprint of its password."""


class Users:
    subjects = frozenset({"users"})

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine
        self._wish: tuple[Wanted, Mapping[str, Declared]] | None = None
        self._desired: _States[Declared] = _States(_desired)
        self._observed: _States[UserView] = _States(_observed)

    def desired(self, at: Situation) -> State:
        wanted = at.wanted
        if self._wish is None or self._wish[0] is not wanted:
            prints = wanted.fingerprints
            self._wish = wanted, {name: (user, prints[name]) for name, user in wanted.site.users.items()}
        return self._desired.of(self._wish[1])

    def observe(self, at: Situation) -> State:
        return {} if at.live.engine is None else self._observed.of(at.live.engine["users"])

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


class _States(Generic[T]):
    """The users' part of a state, from what is known of each. Where that is what it was the last time, so is
    the value: to make 100,000 anew at every look takes longer than all the rest of it.
    """

    def __init__(self, make: Callable[[T], Value]) -> None:
        self._make = make
        self._known: Mapping[str, T] = {}
        self._state: State = {}

    def of(self, known: Mapping[str, T]) -> State:
        """The state that follows from these users by name; they must not be changed afterwards."""
        if known is not self._known:
            self._known, self._state = known, dict(self._paths(known))
        return self._state

    def _paths(self, known: Mapping[str, T]) -> Iterable[tuple[str, Value]]:
        before, state, make = self._known, self._state, self._make
        for name, user in known.items():
            path = f"users.{name}"
            yield path, state[path] if before.get(name) == user else make(user)


def _desired(declared: Declared) -> Value:
    user, fingerprint = declared
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
