"""The users, and whether a login is one of theirs.

A check costs the same whether the user exists or not. Where a user's secret is a scrypt hash it takes tens
of milliseconds, too long to do here: then ``check`` gives a ``Question`` to be answered elsewhere, and so it
does for every PAP login that fails, since the time taken must not tell who exists. What was once found right
is remembered as a keyed digest, so that the next login takes microseconds. Neighbours: ``admission``.
Secrets stay in here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from hmac import compare_digest
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.engine.access.changes import Changes
from reconciler.engine.access.config import User
from reconciler.engine.access.proof import prove, usable
from reconciler.engine.access.reasons import Refusal
from reconciler.engine.access.secret import NtHash, Password, Scrypt
from reconciler.engine.ppp.link import PapCredentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.engine.ppp.link import Credentials

_DECOY: Final = Password(b"no user has this password")
_NOBODY: Final = User(b"", _DECOY)


class Proven(NamedTuple):
    """The login is this user's. ``proof`` is what the client wants to see in return (``ppp.link.Grant``)."""

    user: User
    proof: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """Was this hash made of this password? ``name`` is whose login it is about, ``refusal`` what it means if
    not.
    """

    name: bytes
    password: bytes = field(repr=False)
    secret: Scrypt = field(repr=False)
    refusal: Refusal

    def answer(self) -> bool:
        """Find out: slow. Any thread may."""
        return self.secret.matches(self.password)


class Users:
    """Users by name. ``key`` (up to 64 random octets) is for the memory of good logins. ``changes`` tells who
    has come, gone, or been replaced.
    """

    __slots__ = ("_by_name", "_hashed", "_key", "_nt_hashed", "_remembered", "changes")

    def __init__(self, key: bytes) -> None:
        self.changes: Changes[bytes] = Changes()
        self._key = key
        self._by_name: dict[bytes, User] = {}
        self._hashed: dict[bytes, Scrypt] = {}
        self._nt_hashed: set[bytes] = set()
        self._remembered: dict[bytes, bytes] = {}

    def __iter__(self) -> Iterator[User]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: bytes) -> User | None:
        return self._by_name.get(name)

    def put(self, user: User) -> None:
        """Add a user, or replace one of the same name."""
        before = self._by_name.get(user.name)
        if before is not None and before.secret != user.secret:
            self.remove(user.name)
        self.changes.note(user.name)
        self._by_name[user.name] = user
        if isinstance(user.secret, Scrypt):
            self._hashed[user.name] = user.secret
        elif isinstance(user.secret, NtHash):
            self._nt_hashed.add(user.name)

    def remove(self, name: bytes) -> User | None:
        """Forget a user; gives back who it was."""
        self.changes.note(name)
        self._hashed.pop(name, None)
        self._nt_hashed.discard(name)
        self._remembered.pop(name, None)
        return self._by_name.pop(name, None)

    def check(self, credentials: Credentials) -> Proven | Refusal | Question:
        """Whose credentials these are, or why they are nobody's. Without a name or a password they always
        are.
        """
        user = self._by_name.get(credentials.name, _NOBODY)
        secret = user.secret
        if not isinstance(credentials, PapCredentials) or not self._hashed:
            return self._check(user, credentials)
        password = credentials.password
        if isinstance(secret, Scrypt):
            if self._remembers(user.name, password):
                return _welcome(user)
            return Question(user.name, password, secret, Refusal.WRONG_PASSWORD)
        verdict = self._check(user, credentials)
        if isinstance(verdict, Proven):
            return verdict
        decoy = next(iter(self._hashed.values()))
        return Question(credentials.name, password, decoy, verdict)

    def conclude(self, question: Question, good: bool) -> Proven | Refusal:
        """What the answer to a question means now: not much, if the user has changed meanwhile."""
        user = self._by_name.get(question.name, _NOBODY)
        if not good or not question.password or user.secret != question.secret:
            return question.refusal
        self._remembered[user.name] = self._digest(user.name, question.password)
        return _welcome(user)

    def _check(self, user: User, credentials: Credentials) -> Proven | Refusal:
        """At once. What the user's secret cannot serve costs the same, and is refused whatever comes out."""
        secret = usable(user.secret, credentials)
        proof = prove(credentials, secret or _DECOY, hashes=bool(self._nt_hashed))
        if user is _NOBODY:
            return Refusal.UNKNOWN_USER
        if secret is None:
            return Refusal.METHOD_UNSERVED
        return Refusal.WRONG_PASSWORD if proof is None else _welcome(user, proof)

    def _remembers(self, name: bytes, password: bytes) -> bool:
        return compare_digest(self._remembered.get(name, b""), self._digest(name, password))

    def _digest(self, name: bytes, password: bytes) -> bytes:
        return blake2b(len(name).to_bytes(2, "big") + name + password, key=self._key, digest_size=16).digest()


def _welcome(user: User, proof: bytes = b"") -> Proven | Refusal:
    return Proven(user, proof) if user.enabled else Refusal.USER_DISABLED
