"""What an interface is right now, and the two things the engine sets on its own: ioctls of netdevice(7).

Standard library alone: the engine imports this. It must not decide anything from what it reads.
"""

from __future__ import annotations

import errno
import socket
from contextlib import closing
from fcntl import ioctl
from struct import Struct
from typing import NamedTuple

from reconciler.linux.errors import KernelError

_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_SIOCGIFMTU, _SIOCSIFMTU = 0x8921, 0x8922
_SIOCGIFHWADDR = 0x8927
_IFF_UP, _IFF_RUNNING, _IFF_MASTER = 0x1, 0x40, 0x400
_ARPHRD_ETHER = 1

_name = Struct("16s24x")
_flags = Struct("16sH22x")
_mtu = Struct("16si20x")
_address = Struct("16sH6s16x")


class Interface(NamedTuple):
    """``ifindex`` tells a removed and re-made interface from the same one; ``mtu`` in octets; ``enabled`` =
    an administrator set it up; ``up`` = that, and with carrier.
    """

    name: str
    ifindex: int
    mac: bytes
    mtu: int
    up: bool
    ethernet: bool
    enabled: bool = True


def read(name: str) -> Interface:
    """Look an interface up by name. Raises ``KernelError`` (ENODEV) if there is none."""
    with _control() as control:
        index = _index(name)
        request = _name.pack(name.encode())
        _, kind, mac = _address.unpack(ioctl(control, _SIOCGIFHWADDR, request))
        mtu = _mtu.unpack(ioctl(control, _SIOCGIFMTU, request))[1]
        flags = _flags.unpack(ioctl(control, _SIOCGIFFLAGS, request))[1]
    enabled, running = bool(flags & _IFF_UP), bool(flags & _IFF_RUNNING)
    return Interface(name, index, mac, mtu, enabled and running, kind == _ARPHRD_ETHER, enabled)


def is_bond(name: str) -> bool:
    """Whether it is several interfaces that act as one. Raises ``OSError`` (ENODEV) if there is none."""
    with _control() as control:
        flags = _flags.unpack(ioctl(control, _SIOCGIFFLAGS, _flags.pack(name.encode(), 0)))[1]
    return bool(flags & _IFF_MASTER)


def _index(name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError:  # Python's may have no number
        raise KernelError(errno.ENODEV, "there is no such interface") from None


def set_mtu(name: str, mtu: int) -> None:
    """Set the largest packet in octets. Raises ``OSError``."""
    with _control() as control:
        ioctl(control, _SIOCSIFMTU, _mtu.pack(name.encode(), mtu))


def set_up(name: str) -> None:
    """Bring an interface up. Raises ``OSError``."""
    with _control() as control:
        flags = _flags.unpack(ioctl(control, _SIOCGIFFLAGS, _name.pack(name.encode())))[1]
        ioctl(control, _SIOCSIFFLAGS, _flags.pack(name.encode(), flags | _IFF_UP))


def _control() -> closing[socket.socket]:
    return closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
