"""Everything PPPoE that passes an interface, both ways, as it was on the wire and when (packet(7)).

The kernel takes the outermost VLAN tag off a frame before a packet socket sees it, and tells of it beside the
frame. It only listens, and must not know what the frames mean.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from errno import ENETDOWN
from struct import Struct
from typing import NamedTuple

from reconciler.linux.packet import EVERY_ETHERTYPE, PPPOE_BOTH_WAYS, SOL_PACKET, open_packet_socket

_PACKET_AUXDATA = 8
_SO_TIMESTAMPNS = 35
_VLAN_VALID, _VLAN_TPID_VALID = 0x10, 0x40
_auxdata = Struct("IIIHHHH")
_timespec = Struct("ll")
_vlan = Struct("!HH")
_ANCILLARY = socket.CMSG_SPACE(_auxdata.size) + socket.CMSG_SPACE(_timespec.size)
_LONGEST = 65535
_BATCH = 256
_ADDRESSES = 12
_8021Q = 0x8100


class Captured(NamedTuple):
    """One frame, without its outermost VLAN tag, which is in ``tag`` (four octets, or none). ``at`` is Unix
    time in nanoseconds.
    """

    interface: str
    at: int
    frame: bytes
    tag: bytes = b""

    @property
    def whole(self) -> bytes:
        """The frame as it was on the wire."""
        return self.frame[:_ADDRESSES] + self.tag + self.frame[_ADDRESSES:]

    @property
    def vlan(self) -> int | None:
        """The VLAN's number (IEEE 802.1Q); None without a tag, or with one that has a priority only."""
        return int.from_bytes(self.tag[2:], "big") & 0x0FFF or None


class Capture:
    """Listens on one interface. Raises ``OSError``: EPERM without CAP_NET_RAW, ENODEV without it."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self._socket = open_packet_socket(interface, EVERY_ETHERTYPE, PPPOE_BOTH_WAYS)
        self._socket.setsockopt(SOL_PACKET, _PACKET_AUXDATA, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def fileno(self) -> int:
        """Readable when there are frames: then :meth:`frames`."""
        return self._socket.fileno()

    def frames(self) -> Iterator[Captured]:
        """Those that have arrived, a bounded number of them."""
        for _ in range(_BATCH):
            try:
                frame, ancillary, _, _ = self._socket.recvmsg(_LONGEST, _ANCILLARY)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == ENETDOWN:  # told once; it may come up again
                    return
                raise
            yield Captured(self.interface, *_told(frame, ancillary))

    def close(self) -> None:
        self._socket.close()


def _told(frame: bytes, ancillary: list[tuple[int, int, bytes]]) -> tuple[int, bytes, bytes]:
    """When the frame passed, the frame, and the VLAN tag that was taken off it."""
    at, tag = 0, b""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _timespec.unpack(data)
            at = seconds * 1_000_000_000 + nanoseconds
        elif (level, kind) == (SOL_PACKET, _PACKET_AUXDATA):
            status, *_, tci, tpid = _auxdata.unpack(data)
            if status & _VLAN_VALID:
                tag = _vlan.pack(tpid if status & _VLAN_TPID_VALID else _8021Q, tci)
    return at, frame, tag
