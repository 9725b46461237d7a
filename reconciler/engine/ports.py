"""The engine's packet sockets on one access interface.

PADI has a socket of its own, so that a flood of it cannot starve the rest of discovery; data frames reach
none of them. The service manager, if there is one, keeps them open while the engine restarts: what arrives
meanwhile waits. Neighbours: ``host`` reads and writes through it. It must not know what is in a frame.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from reconciler.engine.wire.pppoe import ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION
from reconciler.linux import interface
from reconciler.linux.packet import (
    NOT_PADI,
    PADI_ONLY,
    PPP_CONTROL,
    adopt_packet_socket,
    missed,
    open_packet_socket,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.linux.manager import Manager

BURST = 64
"""Frames taken from one socket before the others get their turn."""
_LARGEST_FRAME = 65536

_PURPOSES = {
    "session": (ETHERTYPE_SESSION, PPP_CONTROL),
    "discovery": (ETHERTYPE_DISCOVERY, NOT_PADI),
    "padi": (ETHERTYPE_DISCOVERY, PADI_ONLY),
}


class Port:
    """One interface being served. Raises ``OSError`` if it is not there, or may not be opened."""

    __slots__ = ("_manager", "interface", "sockets")

    def __init__(self, name: str, manager: Manager) -> None:
        self.interface = interface.read(name)
        self.sockets: dict[str, socket.socket] = {}
        self._manager = manager
        try:
            for purpose in _PURPOSES:
                self.sockets[purpose] = self._socket(purpose)
        except OSError:
            self.close()
            raise

    def _socket(self, purpose: str) -> socket.socket:
        name, (ethertype, tests) = self.interface.name, _PURPOSES[purpose]
        kept = self._manager.take(f"{name}.{purpose}")
        sock = None if kept is None else adopt_packet_socket(kept, name, ethertype, tests)
        if sock is None:
            sock = open_packet_socket(name, ethertype, tests)
            self._manager.keep(f"{name}.{purpose}", sock.fileno())
        return sock

    def frames(self, sock: socket.socket) -> Iterator[bytes]:
        """What has arrived on one of the sockets, at most a burst of it."""
        for _ in range(BURST):
            try:
                yield sock.recv(_LARGEST_FRAME)
            except OSError:  # nothing left, or the interface went down: ``still_there`` tells
                return

    def missed(self) -> int:
        """How many frames came faster than they were taken, and were lost, since this was last asked."""
        return sum(map(missed, self.sockets.values()))

    def send(self, frame: bytes) -> bool:
        """Put a frame on the interface; False if that was not possible now."""
        try:
            self.sockets["session"].send(frame)
        except OSError:
            return False
        return True

    def still_there(self) -> bool:
        """Whether this is still the interface that was opened: not removed, made anew, or given another
        address.
        """
        try:
            current = interface.read(self.interface.name)
        except OSError:
            return False
        same = (current.ifindex, current.mac) == (self.interface.ifindex, self.interface.mac)
        self.interface = current
        return same

    def close(self) -> None:
        """Close the sockets, for good."""
        for purpose, sock in self.sockets.items():
            self._manager.forget(f"{self.interface.name}.{purpose}")
            sock.close()
