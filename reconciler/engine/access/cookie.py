"""The AC-Cookie: lets discovery keep no state before PADR (RFC 2516 §9).

A cookie is the millisecond in which it was made and a keyed digest of that and of who asked, so it can be
checked without having been stored, and is worth nothing to anyone else or later. A client that dials again
gets another, which tells its PADR from a repetition of the one before. What a PADI said and its PADR may not
repeat travels in the cookie, too. Neighbours: ``discovery``.
"""

from __future__ import annotations

from hashlib import blake2s
from hmac import compare_digest
from struct import Struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.engine.access.effects import Vlans

LIFETIME: Final = 30.0
"""Seconds for which a cookie is good."""

_DIGEST: Final = 16
_WRAP: Final = 0xFFFFFFFF
_stamp: Final = Struct("!I")
_tag: Final = Struct("!HH")
_HEAD: Final = _stamp.size
_BODY: Final = _HEAD + _DIGEST


class Cookies:
    """Makes and checks cookies under one secret key."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, interface: str, vlans: Vlans, mac: bytes, now: float, cargo: bytes = b"") -> bytes:
        """A cookie for this client, here and now. ``cargo`` comes back as it is, and is readable."""
        stamp = _stamp.pack(int(now * 1000) & _WRAP)
        return stamp + self._digest(stamp, interface, vlans, mac, cargo) + cargo

    def open(self, cookie: bytes, interface: str, vlans: Vlans, mac: bytes, now: float) -> bytes | None:
        """The cargo, if we gave this cookie to this client lately; else None. Takes the same time whatever
        part of it is wrong.
        """
        stamp, digest, cargo = cookie[:_HEAD], cookie[_HEAD:_BODY], cookie[_BODY:]
        if len(digest) != _DIGEST:
            return None
        age = (int(now * 1000) - _stamp.unpack(stamp)[0]) & _WRAP
        ours = compare_digest(digest, self._digest(stamp, interface, vlans, mac, cargo))
        return cargo if ours and age <= LIFETIME * 1000 else None

    def _digest(self, stamp: bytes, interface: str, vlans: Vlans, mac: bytes, cargo: bytes) -> bytes:
        tags = b"".join([_tag.pack(*vlan) for vlan in vlans])
        sized = len(cargo).to_bytes(2, "big") + cargo
        data = stamp + mac + sized + tags + interface.encode()
        return blake2s(data, key=self._key, digest_size=_DIGEST).digest()
