"""Packets of sessions that do not exist: a few a second, so that the engine can tell who sends them.

A program on the socket lets through what no open session has, on all interfaces together at most 200 a
second. Neighbours: ``path``. It must not know what is done with them.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from reconciler.engine.wire.pppoe import ETHERTYPE_SESSION
from reconciler.linux.packet import open_programmed_socket

if TYPE_CHECKING:
    import socket

_BURST = 16
_LARGEST_FRAME = 65536


class Strays:
    """A socket on each access interface, all registered with ``watch``."""

    def __init__(self, program: int, watch: select.epoll) -> None:
        self._program = program
        self._watch = watch
        self._sockets: dict[str, socket.socket] = {}

    def serve(self, interface: str) -> None:
        """Listen on an interface. Raises ``OSError``."""
        self.leave(interface)
        self._sockets[interface] = sock = open_programmed_socket(interface, ETHERTYPE_SESSION, self._program)
        self._watch.register(sock, select.EPOLLIN)

    def leave(self, interface: str) -> None:
        """Listen there no more."""
        sock = self._sockets.pop(interface, None)
        if sock is not None:
            self._watch.unregister(sock)
            sock.close()

    def frames(self) -> list[tuple[str, bytes]]:
        """What has come, each with its interface."""
        return [(interface, frame) for interface, sock in self._sockets.items() for frame in _read(sock)]

    def close(self) -> None:
        for interface in list(self._sockets):
            self.leave(interface)


def _read(sock: socket.socket) -> list[bytes]:
    frames: list[bytes] = []
    try:
        while len(frames) < _BURST:
            frames.append(sock.recv(_LARGEST_FRAME))
    except OSError:  # nothing left, or the interface went down
        pass
    return frames
