"""The keys and values of the maps, octet by octet as ``maps.h`` has them.

Pure. Numbers are the host's, what is called network order is octets. It must not know sessions or the kernel.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import NamedTuple

LAYOUT = 4
"""Raised whenever a key or a value changes: what another layout left behind is not taken over."""

ENTRY = Struct("=I")
"""The key of an array, and of ``ports``."""

PLACES = 65536
"""Places for addresses in ``addresses``."""
MOST_MET = 32
"""Sessions whose addresses may meet in one place: the programs look at no more."""

_session = Struct("=I6sH4s6s10x32x")
_port = Struct("=II")
_device = Struct("=I6s2x")
MTU, AC_MAC, BEHIND, COUNTS = 10, 16, 22, 32
"""Where in an entry of ``sessions`` that is, in octets, which is written or read by itself."""


class Wire(NamedTuple):
    """A session's identity on the wire: its interface, the subscriber's MAC address, its id."""

    ifindex: int
    mac: bytes
    id: int


class Session(NamedTuple):
    """An entry of ``sessions``, whose number is the id, without what is counted there: the interface, 0 if it
    is closed; the subscriber's MAC address, largest packet and address; our MAC address.
    """

    ifindex: int
    mac: bytes
    mtu: int
    address: bytes
    ac_mac: bytes

    def pack(self) -> bytes:
        return _session.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> Session:
        return cls(*_session.unpack(data))


class Port(NamedTuple):
    """A value of ``ports``: where its closed sessions' counts are, and whether it is for PPPoE alone."""

    slot: int
    access_only: bool

    def pack(self) -> bytes:
        return _port.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> Port:
        slot, access_only = _port.unpack(data)
        return cls(slot, bool(access_only))


class Device(NamedTuple):
    """The value of ``device``: the far end's index and the near end's MAC address."""

    far: int
    near_mac: bytes

    def pack(self) -> bytes:
        return _device.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> Device:
        return cls(*_device.unpack(data))


def place_of(ipv4: bytes) -> int:
    """Where in ``addresses`` a session with this address is. Those of a network of 65,536 are side by side;
    which networks meet where, is mixed.
    """
    number = int.from_bytes(ipv4, "big")
    return (number ^ (number >> 16) * 40503) % PLACES


class Dropped(IntEnum):
    """The entries of ``drops``."""

    TRUNCATED = 0
    NOT_IPV4 = 1
    SPOOFED = 2
    UNKNOWN_SESSION = 3
    NOT_PPPOE = 4
    NO_SESSION = 5
    TOO_BIG = 6
    UNSEGMENTED = 7
