"""Packet sockets that see only the frames they are for (packet(7), classic BPF).

The filter is attached before the socket is bound, so not one other frame is ever queued. Standard library
alone: the engine imports this. It must not know what the frames mean beyond where their type stands.
"""

from __future__ import annotations

import ctypes
import socket
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SO_ATTACH_FILTER, SO_RCVBUFFORCE, SO_ATTACH_BPF = 26, 33, 50
SOL_PACKET = 263
RECEIVE_BUFFER = 4 << 20
"""Octets of the kernel's queue for each socket, which the kernel doubles: some thousand frames while the
reader is busy. The smallest frame takes 0.8 to 4.4 kB of it, as its card's driver and generic XDP have it.
"""
EVERY_ETHERTYPE = 0x0003
"""ETH_P_ALL: such a socket also sees what is sent."""

_PACKET_STATISTICS = 6
_STATISTICS = Struct("II")
_SOCK_FILTER = Struct("HBBI")
_SOCK_FPROG = Struct("HP")

_LD_HALF, _LD_BYTE, _LD_WORD = 0x28, 0x30, 0x20
_JEQ, _JSET, _RET = 0x15, 0x45, 0x06
_PKTTYPE = 0xFFFFF000 + 4  # SKF_AD_OFF + SKF_AD_PKTTYPE
_OTHERHOST, _OUTGOING = 3, 4
_ETHERTYPE = 12
_PPPOE_CODE = 15
_PPP_PROTOCOL = 20
_PADI = 0x09
_KEEP, _DROP = 0x40000, 0


class Test(NamedTuple):
    """One step of a filter: load a field of the frame and go on if it is as wanted, else drop the frame."""

    load: int
    offset: int
    jump: int
    value: int
    want: bool


# Frames for other stations are also those of a VLAN whose tag the kernel has taken off and nobody serves.
_INCOMING = (
    Test(_LD_WORD, _PKTTYPE, _JEQ, _OTHERHOST, want=False),
    Test(_LD_WORD, _PKTTYPE, _JEQ, _OUTGOING, want=False),
)
PADI_ONLY = (*_INCOMING, Test(_LD_BYTE, _PPPOE_CODE, _JEQ, _PADI, want=True))
"""Discovery's flood-prone half: PADI alone (RFC 2516 §5.1)."""
NOT_PADI = (*_INCOMING, Test(_LD_BYTE, _PPPOE_CODE, _JEQ, _PADI, want=False))
"""Discovery's other half, which a flood of PADI must not starve."""
PPP_CONTROL = (*_INCOMING, Test(_LD_HALF, _PPP_PROTOCOL, _JSET, 0x8000, want=True))
"""Session frames that carry a PPP control protocol (RFC 1661 §2: numbers from 0x8000)."""
PPP_DATA = (*_INCOMING, Test(_LD_HALF, _PPP_PROTOCOL, _JSET, 0x8000, want=False))
"""Session frames that carry a network protocol's packets."""

PPPOE_BOTH_WAYS = (
    *(Test(_LD_HALF, _ETHERTYPE, _JSET, bit, want=True) for bit in (0x8000, 0x0800, 0x0040, 0x0020)),
    Test(_LD_HALF, _ETHERTYPE, _JSET, 0x7798, want=False),
)
"""EtherTypes 0x8860 to 0x8867, incoming and outgoing, for a listener on :data:`EVERY_ETHERTYPE`."""


def open_packet_socket(interface: str, ethertype: int, tests: Sequence[Test]) -> socket.socket:
    """A non-blocking packet socket on one interface for one EtherType and the frames that pass every test.

    Raises ``OSError``: EPERM without CAP_NET_RAW, ENODEV without such an interface.
    """
    return _open(interface, ethertype, lambda sock: _attach(sock, tests))


def open_programmed_socket(interface: str, ethertype: int, program: int) -> socket.socket:
    """The same, for the frames that an eBPF program lets through: its descriptor (``bpf.load``)."""
    return _open(
        interface, ethertype, lambda sock: sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_BPF, program)
    )


def _open(interface: str, ethertype: int, attach: Callable[[socket.socket], None]) -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    try:
        attach(sock)
        _make_room(sock)
        sock.bind((interface, ethertype))
    except OSError:
        sock.close()
        raise
    return sock


def _make_room(sock: socket.socket) -> None:
    """Without CAP_NET_ADMIN no more is to be had than ``net.core.rmem_max``, by default 208 KiB."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def missed(sock: socket.socket) -> int:
    """How many frames found a packet socket's queue full since this was last asked."""
    _, dropped = _STATISTICS.unpack(sock.getsockopt(SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size))
    return int(dropped)


def adopt_packet_socket(
    descriptor: int, interface: str, ethertype: int, tests: Sequence[Test]
) -> socket.socket | None:
    """The socket that another process opened for the same, with what has arrived on it since; None, and
    closed, when it is not such a socket or its interface is not there any more.
    """
    sock = socket.socket(fileno=descriptor)
    try:
        if sock.family == socket.AF_PACKET and sock.getsockname()[:2] == (interface, ethertype):
            _attach(sock, tests)
            return sock
    except OSError:
        pass
    sock.close()
    return None


def _attach(sock: socket.socket, tests: Sequence[Test]) -> None:
    program = _assemble(tests)
    buffer = ctypes.create_string_buffer(program, len(program))
    count = len(program) // _SOCK_FILTER.size
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, _SOCK_FPROG.pack(count, ctypes.addressof(buffer)))


def _assemble(tests: Sequence[Test]) -> bytes:
    """Each test is a load and a jump; a failed one jumps to the last instruction, which drops."""
    code: list[bytes] = []
    last = 2 * len(tests) + 1
    for index, test in enumerate(tests):
        miss = last - (2 * index + 2)
        code.append(_SOCK_FILTER.pack(test.load, 0, 0, test.offset))
        code.append(
            _SOCK_FILTER.pack(test.jump, 0 if test.want else miss, miss if test.want else 0, test.value)
        )
    code.append(_SOCK_FILTER.pack(_RET, 0, 0, _KEEP))
    code.append(_SOCK_FILTER.pack(_RET, 0, 0, _DROP))
    return b"".join(code)
