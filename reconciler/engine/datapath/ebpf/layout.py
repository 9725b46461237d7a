"""The keys and values of the maps, octet by octet as ``maps.h`` has them.

Pure. Numbers are the host's, what is called network order is octets. It must not know sessions or the kernel.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import NamedTuple

LAYOUT = 2
"""Raised whenever a key or a value changes: what another layout left behind is not taken over."""

ENTRY = Struct("=I")
"""The key of an array, and of ``ports``."""

_wire = Struct("=IHH2s6s")
_reached = Struct("=I6sH")
_session = Struct("=I4s6sH16sI")
_port = Struct("=II")
_device = Struct("=I6s2x")


class Wire(NamedTuple):
    """A session's identity on the wire; the key of ``sessions``."""

    ifindex: int
    mac: bytes
    id: int

    def pack(self) -> bytes:
        return _wire.pack(self.ifindex, 0, 0, self.id.to_bytes(2, "big"), self.mac)

    @classmethod
    def unpack(cls, data: bytes) -> Wire:
        ifindex, _, _, number, mac = _wire.unpack(data)
        return cls(ifindex, mac, int.from_bytes(number, "big"))


class Subscriber(NamedTuple):
    """A value of ``addresses``: whose it is, where it counts, our MAC address, the largest packet."""

    wire: Wire
    slot: int
    ac_mac: bytes
    mtu: int

    def pack(self) -> bytes:
        return self.wire.pack() + _reached.pack(self.slot, self.ac_mac, self.mtu)

    @classmethod
    def unpack(cls, data: bytes) -> Subscriber:
        return cls(Wire.unpack(data[: _wire.size]), *_reached.unpack(data[_wire.size :]))


class Session(NamedTuple):
    """A value of ``sessions``: where it counts, its address, our MAC address, its largest packet."""

    slot: int
    address: bytes
    ac_mac: bytes
    mtu: int

    def pack(self) -> bytes:
        return _session.pack(self.slot, self.address, self.ac_mac, self.mtu, bytes(16), 0)

    @classmethod
    def unpack(cls, data: bytes) -> Session:
        return cls(*_session.unpack(data)[:4])


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


def address_key(ipv4: bytes) -> bytes:
    """The key of ``addresses`` for an IPv4 address."""
    return bytes(10) + b"\xff\xff" + ipv4


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
