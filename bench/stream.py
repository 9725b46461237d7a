"""A steady stream of small packets through sessions and back, counted at both ends: what gets lost each way.

``python -m bench.stream near INTERFACE``: subscribers, on a packet socket. ``python -m bench.stream far
ADDRESS PORT``: who they talk to, beyond the data path; every packet is answered. Orders on standard input,
one JSON object a line in, one out. Neighbours: ``load`` has the sessions set up. It must not know what
happens meanwhile.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final, NamedTuple

from bench.orders import serve
from reconciler.engine.datapath.fit import checksum
from reconciler.engine.wire.pppoe import ETHERTYPE_SESSION
from reconciler.linux.packet import PPP_DATA, RECEIVE_BUFFER, SO_RCVBUFFORCE, open_packet_socket

PORT: Final = 4000
AFTERWARDS: Final = 0.5
"""Seconds that the last packets may take."""

_UDP: Final = 17
_number = struct.Struct("!I")
_session = struct.Struct("!HBBHHH")


class Line(NamedTuple):
    """A session that is up: its frames' addresses, its id, and the address that it was given."""

    to: bytes
    mac: bytes
    id: int
    address: str


class Near:
    """The subscribers' end."""

    def __init__(self, interface: str) -> None:
        # Their frames are for other stations than the interface itself.
        *_, data = PPP_DATA
        self._socket = open_packet_socket(interface, ETHERTYPE_SESSION, (data,))
        self._back: set[int] = set()

    def stream(self, lines: list[list[Any]], to: str, seconds: float, every: float) -> dict[str, Any]:
        """Send a packet every so many seconds, through the sessions in turn; how many were sent, and how many
        answers came back.
        """
        heads = [_head(Line(bytes.fromhex(a), bytes.fromhex(b), *rest), to) for a, b, *rest in lines]
        self._back = set()
        sent, due = 0, monotonic()
        end = due + seconds
        while (now := monotonic()) < end:
            if now >= due:
                self._socket.send(heads[sent % len(heads)] + _number.pack(sent))
                sent, due = sent + 1, due + every
            self._receive(due - monotonic())
        while (left := end + AFTERWARDS - monotonic()) > 0:
            self._receive(left)
        return {"sent": sent, "back": len(self._back)}

    def _receive(self, timeout: float) -> None:
        if not select.select([self._socket], [], [], max(timeout, 0.0))[0]:
            return
        try:
            while True:
                frame = self._socket.recv(2048)
                if frame[20:23] == b"\0\x21\x45" and frame[31] == _UDP:
                    self._back.add(_number.unpack_from(frame, 50)[0])
        except BlockingIOError:
            return


class Far:
    """The other end. ``close()`` it."""

    def __init__(self, address: str, port: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        self._socket.bind((address, int(port)))
        self.address = self._socket.getsockname()

    def answer(self, seconds: float) -> dict[str, Any]:
        """Answer for so long; how many packets arrived, and how many could not be answered."""
        end, arrived, unanswered = monotonic() + seconds, set[int](), 0
        while (left := end - monotonic()) > 0:
            if not select.select([self._socket], [], [], left)[0]:
                break
            data, sender = self._socket.recvfrom(2048)
            arrived.add(_number.unpack_from(data)[0])
            try:
                self._socket.sendto(data, sender)
            except OSError:  # the route is gone, or the device is
                unanswered += 1
        return {"arrived": len(arrived), "unanswered": unanswered}

    def close(self) -> None:
        self._socket.close()


def _head(line: Line, to: str) -> bytes:
    """A frame up to the number in it."""
    udp = struct.pack("!HHHH", PORT, PORT, 8 + _number.size, 0)
    length = 20 + len(udp) + _number.size
    ends = socket.inet_aton(line.address) + socket.inet_aton(to)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, length, 1, 0, 64, _UDP, 0) + ends
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return (
        line.to + line.mac + _session.pack(ETHERTYPE_SESSION, 0x11, 0, line.id, length + 2, 0x0021) + ip + udp
    )


def main(arguments: Sequence[str]) -> None:
    """Serve orders until there are no more."""
    serve(Near(*arguments[1:]) if arguments[0] == "near" else Far(*arguments[1:]))


if __name__ == "__main__":
    main(sys.argv[1:])
