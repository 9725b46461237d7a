"""The AC-Cookie: lets discovery keep no state before PADR (RFC 2516 §9).

A cookie is the millisecond in which it was made and a keyed digest of that and of who asked, so it can be
checked without having been stored, and is worth nothing to anyone else or later. A client that dials again
gets another, which tells its PADR from a repetition of the one before. Neighbours: ``discovery``.
"""

from __future__ import annotations

from hashlib import blake2s
from hmac import compare_digest
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.engine.access.effects import Vlans

LIFETIME = 30.0
"""Seconds for which a cookie is good."""

_DIGEST = 16
_WRAP = 0xFFFFFFFF
_stamp = Struct("!I")
_tag = Struct("!HH")


class Cookies:
    """Makes and checks cookies under one secret key."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, interface: str, vlans: Vlans, mac: bytes, now: float) -> bytes:
        """A cookie for this client, here and now."""
        stamp = _stamp.pack(int(now * 1000) & _WRAP)
        return stamp + self._digest(stamp, interface, vlans, mac)

    def good(self, cookie: bytes, interface: str, vlans: Vlans, mac: bytes, now: float) -> bool:
        """Whether we gave this cookie to this client lately. Takes the same time whatever part of it is
        wrong.
        """
        stamp = cookie[: _stamp.size]
        if len(cookie) != _stamp.size + _DIGEST:
            return False
        age = (int(now * 1000) - _stamp.unpack(stamp)[0]) & _WRAP
        digest = self._digest(stamp, interface, vlans, mac)
        return compare_digest(cookie[_stamp.size :], digest) and age <= LIFETIME * 1000

    def _digest(self, stamp: bytes, interface: str, vlans: Vlans, mac: bytes) -> bytes:
        tags = b"".join([_tag.pack(*vlan) for vlan in vlans])
        return blake2s(stamp + mac + tags + interface.encode(), key=self._key, digest_size=_DIGEST).digest()
