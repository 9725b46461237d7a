"""The engine's packet sockets on one access interface.

PADI has a socket of its own, so that a flood of it cannot starve the rest of discovery; data frames reach
none of them. Neighbours: ``host`` reads and writes through it. It must not know what is in a frame.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from reconciler.engine.wire.pppoe import ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION
from reconciler.linux import interface
from reconciler.linux.packet import NOT_PADI, PADI_ONLY, PPP_CONTROL, open_packet_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

BURST = 64
"""Frames taken from one socket before the others get their turn."""
_LARGEST_FRAME = 65536


class Port:
    """One interface being served. Raises ``OSError`` if it is not there, or may not be opened."""

    __slots__ = ("interface", "sockets")

    def __init__(self, name: str) -> None:
        self.interface = interface.read(name)
        self.sockets: list[socket.socket] = []
        try:
            for ethertype, tests in (
                (ETHERTYPE_SESSION, PPP_CONTROL),
                (ETHERTYPE_DISCOVERY, NOT_PADI),
                (ETHERTYPE_DISCOVERY, PADI_ONLY),
            ):
                self.sockets.append(open_packet_socket(name, ethertype, tests))
        except OSError:
            self.close()
            raise

    def frames(self, sock: socket.socket) -> Iterator[bytes]:
        """What has arrived on one of the sockets, at most a burst of it."""
        for _ in range(BURST):
            try:
                yield sock.recv(_LARGEST_FRAME)
            except OSError:  # nothing left, or the interface went down: ``still_there`` tells
                return

    def send(self, frame: bytes) -> bool:
        """Put a frame on the interface; False if that was not possible now."""
        try:
            self.sockets[0].send(frame)
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
        """Close the sockets."""
        for sock in self.sockets:
            sock.close()
