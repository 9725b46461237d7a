"""Which frames of an exchange somebody wants to see: those of a user, of a MAC address, of a session.

A user is recognised by the name in a PAP Authenticate-Request or a CHAP Response; from then on the client's
frames are the user's, and what it said just before is brought back. Pure. It must not know where frames come
from or go to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from reconciler.linux.capture import Captured
from reconciler.probe.codec import SESSION, Control, Protocol, read
from reconciler.probe.decode import is_data

HELD = 1000
"""Control frames that are remembered until it is known whose they are."""

_PAP_REQUEST, _CHAP_RESPONSE = 1, 2


class Selection:
    """Takes frames in order. With nothing to select by, every frame is wanted.

    ``macs`` are wanted from the start (``02:00:..``); ``users`` add theirs when they log in.
    """

    def __init__(
        self, macs: Collection[str] = (), sessions: Collection[int] = (), users: Collection[str] = ()
    ) -> None:
        self._macs = {bytes.fromhex(mac.replace(":", "")) for mac in macs}
        self._sessions = frozenset(sessions)
        self._users = frozenset(users)
        self._learned: set[bytes] = set()
        self._everything = not (macs or sessions or users)
        self._held: deque[Captured] = deque(maxlen=HELD)

    def take(self, seen: Captured) -> list[Captured]:
        """The frames that are wanted now: this one, perhaps after some that were held back, or none."""
        if self._everything:
            return [seen]
        if self._users and (caller := _caller(seen.frame)) is not None:
            mac, name = caller
            if name in self._users:
                before = [] if mac in self._macs | self._learned else self._release(mac)
                self._learned.add(mac)
                return [*before, seen]
            self._learned.discard(mac)  # the same station is somebody else now
        if self._wanted(seen.frame):
            return [seen]
        if self._users and not is_data(seen.frame):
            self._held.append(seen)
        return []

    def _wanted(self, frame: bytes) -> bool:
        stations = {frame[:6], frame[6:12]}
        session = int.from_bytes(frame[16:18], "big")
        return bool(stations & self._macs or stations & self._learned or session in self._sessions)

    def _release(self, mac: bytes) -> list[Captured]:
        return [seen for seen in self._held if mac in (seen.frame[:6], seen.frame[6:12])]


def _caller(frame: bytes) -> tuple[bytes, str] | None:
    """Who says with this frame which user it is."""
    if int.from_bytes(frame[12:14], "big") != SESSION or is_data(frame):
        return None
    packet = read(frame)
    if not isinstance(packet, Control) or not packet.data:
        return None
    size, rest = packet.data[0], packet.data[1:]
    match packet.protocol, packet.code:
        case Protocol.PAP, code if code == _PAP_REQUEST:
            name = rest[:size]
        case Protocol.CHAP, code if code == _CHAP_RESPONSE:
            name = rest[size:]
        case _:
            return None
    return packet.source, name.decode(errors="backslashreplace")
