"""TUN devices: a network interface whose packets a process reads and writes (Linux tuntap).

Standard library alone: the engine imports this.
"""

from __future__ import annotations

import os
from fcntl import ioctl
from struct import Struct

DEVICE = "/dev/net/tun"

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_ifreq = Struct("16sH22x")


def open_tun(name: str) -> tuple[int, str]:
    """Create a TUN device; in ``name``, ``%d`` is the first free number. Gives its descriptor and its name.

    Packets are bare IP, without a header of the device's own. The device is gone when the descriptor is
    closed. Raises ``OSError``: ENOENT without /dev/net/tun, EPERM without CAP_NET_ADMIN, EBUSY if the name is
    taken.
    """
    descriptor = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        answer = ioctl(descriptor, _TUNSETIFF, _ifreq.pack(name.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor, _ifreq.unpack(answer)[0].rstrip(b"\0").decode()
