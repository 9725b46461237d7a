"""``users``: who may log in. All changes go to the engine in one request, all or nothing, so that an
address or a name can pass from one user to another without a moment in which both or neither have it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.engine.messages import RemovedUser, Secret, SessionKey, UserEntry
from reconciler.plan.change import Change
from reconciler.plan.state import SessionRef, State
from reconciler.resources.base import Outcome, Situation, Wanted, name_in, refused
from reconciler.resources.engine import EngineClient, RefusedError
from reconciler.site import hashes
from reconciler.site.secrets import UserSecret


class Users:
    subjects = frozenset({"users"})

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine

    def desired(self, at: Situation) -> State:
        return {
            f"users.{name}": {
                "password": at.wanted.fingerprints[name],
                "ip": str(user.ip) if user.ip else None,
                "enabled": user.enabled,
                "sessions": user.sessions,
            }
            for name, user in at.wanted.site.users.items()
        }

    def observe(self, at: Situation) -> State:
        if at.live.engine is None:
            return {}
        return {
            f"users.{name}": {
                "password": user["fingerprint"],
                "ip": user["address"],
                "enabled": user["enabled"],
                "sessions": user["sessions"],
            }
            for name, user in at.live.engine["users"].items()
        }

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:
        put = [_entry(name_in(change.path), at.wanted) for change in changes if change.after is not None]
        remove: list[RemovedUser] = [
            {"name": name_in(change.path), "sessions": at.wanted.site.on_remove}
            for change in changes
            if change.after is None
        ]
        try:
            ended = self._engine.users(at.generation, put, remove)
            # What the plan ends and the engine would let live, as on_password_change: terminate asks.
            for change in changes:
                if left := _not_yet(ended, change.dropped):
                    ended += self._engine.terminate(left, _why(change))
        except RefusedError as error:
            return refused(changes, error)
        return Outcome(ended=tuple(ended))


def _entry(name: str, wanted: Wanted) -> UserEntry:
    user = wanted.site.users[name]
    return {
        "name": name,
        "secret": _secret(wanted.secrets[name]),
        "address": str(user.ip) if user.ip else None,
        "enabled": user.enabled,
        "sessions": user.sessions,
        "fingerprint": wanted.fingerprints[name],
        "on_disable": wanted.site.on_remove,
    }


def _why(change: Change) -> str:
    before, after = change.before, change.after
    if isinstance(before, Mapping) and isinstance(after, Mapping) and before["password"] != after["password"]:
        return "password_changed"
    return "sessions_lowered"


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


def _not_yet(ended: Iterable[SessionKey], planned: Iterable[SessionRef]) -> list[SessionKey]:
    done = {(key["interface"], key["mac"], key["id"]) for key in ended}
    return [
        {"interface": session.interface, "mac": session.mac, "id": session.id}
        for session in planned
        if session.key not in done
    ]
