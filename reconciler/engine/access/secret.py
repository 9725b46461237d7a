"""What we know of a user's password: the password itself, or one of two kinds of hash.

Neighbours: ``proof`` holds logins against it, ``users`` keeps it. None of it is ever shown.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Password:
    """The password: serves every login method."""

    text: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NtHash:
    """MD4 of the password in UTF-16 (RFC 2759 §8.3), 16 octets: serves MS-CHAP, and PAP.

    Raises ValueError when it is none, or the one of no password.
    """

    octets: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.octets) != 16 or self.octets == _OF_NOTHING:
            raise ValueError("no hash of a password")


@dataclass(frozen=True, slots=True)
class Scrypt:
    """scrypt of the password (RFC 7914) with its parameters: serves PAP alone, in tens of milliseconds.

    Raises ValueError when these are no parameters, or would take more than ``MOST_MEMORY``.
    """

    n: int
    r: int
    p: int
    salt: bytes = field(repr=False)
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        good = self.n > 1 and self.n & (self.n - 1) == 0 and self.r >= 1 and self.p >= 1 and self.key
        if not good or self.memory > MOST_MEMORY:
            raise ValueError("no parameters of scrypt that can be served")

    @property
    def memory(self) -> int:
        """Octets that one check needs while it lasts."""
        return 128 * self.r * (self.n + self.p + 2)

    def matches(self, password: bytes) -> bool:
        """Whether it was made of this password. Slow; gives other threads their turn meanwhile."""
        made = hashlib.scrypt(
            password, salt=self.salt, n=self.n, r=self.r, p=self.p, maxmem=self.memory, dklen=len(self.key)
        )
        return compare_digest(made, self.key)


MOST_MEMORY: Final = 256 << 20
_OF_NOTHING: Final = bytes.fromhex("31d6cfe0d16ae931b73c59d7e0c089c0")

Secret: TypeAlias = Password | NtHash | Scrypt
