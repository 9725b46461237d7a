"""What the engine and the TUN worker say to each other: fixed-size records on a stream socket.

The engine sends ``Record``; the worker answers HELLO with its device's name and its version, SYNC, once all
before it is done, with a count and that many ``Tally``, of the paths closed since the last, and COUNTERS with
those of all that there are.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import socket
    from collections.abc import Collection

SOCKET_NAME = "datapath.sock"
"""The worker's socket inside the runtime directory."""

VERSION = 2
"""Raised when an engine and a worker of another version could not understand each other."""

record = Struct("!BI6sH4sH16s")
tally = Struct("!I6sHQQQQ")
hello = Struct("!15sB")
count = Struct("!I")


class Op(IntEnum):
    """What a record asks for."""

    HELLO = 1
    PRUNE = 2
    ATTACH = 3
    DETACH = 4
    OPEN = 5
    CLOSE = 6
    SYNC = 7
    COUNTERS = 8
    QUIT = 9


class Record(NamedTuple):
    """One request; each operation uses the fields that it needs.

    ``mac`` is ours with ATTACH, otherwise the subscriber's; ``mtu`` in octets; ``interface`` with ATTACH
    alone.
    """

    op: int
    ifindex: int = 0
    mac: bytes = bytes(6)
    session_id: int = 0
    address: bytes = bytes(4)
    mtu: int = 0
    interface: bytes = b""


class Tally(NamedTuple):
    """One open path's counters; ``rx`` came from the subscriber. Session id 0 (RFC 2516 §4: no session) has
    those of all the paths that were closed on the interface.
    """

    ifindex: int
    mac: bytes
    session_id: int
    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int


def tallies(some: Collection[Tally]) -> bytes:
    """A count, and as many."""
    return count.pack(len(some)) + b"".join(tally.pack(*each) for each in some)


def receive_tallies(sock: socket.socket) -> list[Tally]:
    """The inverse of ``tallies``, from a socket. Raises ``ConnectionError`` if the other side ends before."""
    total = count.unpack(receive(sock, count.size))[0]
    return [Tally(*fields) for fields in tally.iter_unpack(receive(sock, total * tally.size))]


def receive(sock: socket.socket, size: int) -> bytes:
    """Exactly ``size`` octets. Raises ``ConnectionError`` if the other side ends before."""
    parts = bytearray()
    while len(parts) < size:
        part = sock.recv(size - len(parts))
        if not part:
            raise ConnectionResetError("the other side has ended")
        parts += part
    return bytes(parts)
