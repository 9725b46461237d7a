"""The users, and whether a login is one of theirs.

Every check costs the same whether the user exists or not. Neighbours: ``concentrator``. Passwords stay in
here.
"""

from __future__ import annotations

from hashlib import md5
from hmac import compare_digest
from typing import TYPE_CHECKING

from reconciler.engine.access.config import User
from reconciler.engine.access.reasons import Refusal
from reconciler.engine.ppp.link import PapCredentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.engine.ppp.link import Credentials

_NOBODY = User(b"", b"no user has this password")


class Users:
    """Users by name."""

    __slots__ = ("_by_name",)

    def __init__(self) -> None:
        self._by_name: dict[bytes, User] = {}

    def __iter__(self) -> Iterator[User]:
        return iter(self._by_name.values())

    def get(self, name: bytes) -> User | None:
        return self._by_name.get(name)

    def put(self, user: User) -> None:
        self._by_name[user.name] = user

    def remove(self, name: bytes) -> User | None:
        """Forget a user; gives back who it was."""
        return self._by_name.pop(name, None)

    def check(self, credentials: Credentials) -> User | Refusal:
        """The user whose credentials these are, or why there is none."""
        user = self._by_name.get(credentials.name, _NOBODY)
        if not _proves(credentials, user.password) or not user.password:
            return Refusal.WRONG_PASSWORD if user is not _NOBODY else Refusal.UNKNOWN_USER
        if user is _NOBODY:
            return Refusal.UNKNOWN_USER
        return user if user.enabled else Refusal.USER_DISABLED


def _proves(credentials: Credentials, password: bytes) -> bool:
    if isinstance(credentials, PapCredentials):
        return compare_digest(credentials.password, password)
    # RFC 1994 §2.2: MD5 is the protocol's, not a choice of ours.
    expected = md5(bytes([credentials.identifier]) + password + credentials.challenge, usedforsecurity=False)
    return compare_digest(credentials.response, expected.digest())
