"""The users, and whether a login is one of theirs.

Every check costs the same whether the user exists or not. Neighbours: ``concentrator``. Passwords stay in
here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.engine.access.config import User
from reconciler.engine.access.proof import prove
from reconciler.engine.access.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.engine.ppp.link import Credentials

_NOBODY = User(b"", b"no user has this password")


class Proven(NamedTuple):
    """The login is this user's. ``proof`` is what the client wants to see in return (``ppp.link.Grant``)."""

    user: User
    proof: bytes


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

    def check(self, credentials: Credentials) -> Proven | Refusal:
        """Whose credentials these are, or why they are nobody's. Without a name or a password they always
        are.
        """
        user = self._by_name.get(credentials.name, _NOBODY)
        proof = prove(credentials, user.password)
        if user is _NOBODY or not user.name:
            return Refusal.UNKNOWN_USER
        if proof is None or not user.password:
            return Refusal.WRONG_PASSWORD
        return Proven(user, proof) if user.enabled else Refusal.USER_DISABLED
