"""The AC-Cookie: lets discovery keep no state before PADR (RFC 2516 §9).

A cookie is the number of a time window and a keyed digest of that window and of who asked, so it can be
checked without having been stored, and is worth nothing to anyone else or later. Neighbours: ``discovery``.
"""

from __future__ import annotations

from hashlib import blake2s
from hmac import compare_digest
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.engine.access.effects import Vlans

WINDOW = 20.0
"""Seconds; a cookie is good for the rest of its window and the whole of the next one."""

_DIGEST = 16
_window = Struct("!I")
_tag = Struct("!HH")


class Cookies:
    """Makes and checks cookies under one secret key."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, interface: str, vlans: Vlans, mac: bytes, now: float) -> bytes:
        """A cookie for this client, here and now."""
        window = _window.pack(int(now / WINDOW) & 0xFFFFFFFF)
        return window + self._digest(window, interface, vlans, mac)

    def good(self, cookie: bytes, interface: str, vlans: Vlans, mac: bytes, now: float) -> bool:
        """Whether we gave this cookie to this client lately. Takes the same time whatever part of it is
        wrong.
        """
        window = cookie[: _window.size]
        if len(cookie) != _window.size + _DIGEST:
            return False
        fresh = (int(now / WINDOW) - _window.unpack(window)[0]) & 0xFFFFFFFF <= 1
        digest = self._digest(window, interface, vlans, mac)
        return compare_digest(cookie[_window.size :], digest) and fresh

    def _digest(self, window: bytes, interface: str, vlans: Vlans, mac: bytes) -> bytes:
        tags = b"".join([_tag.pack(*vlan) for vlan in vlans])
        return blake2s(window + mac + tags + interface.encode(), key=self._key, digest_size=_DIGEST).digest()
