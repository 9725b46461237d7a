"""A descriptor that becomes readable when links, IPv4 addresses, IPv4 routes or IPv4 settings change.

What it says is a hint and no more: messages are thrown away unread, so a lost one, or an overrun of the
socket, costs nothing beyond a look at the real state, which whoever waits on it takes anyway. It covers
the network namespace in which it was made. The kernel is silent about a few settings (``send_redirects``,
``arp_ignore``, ``proxy_arp_pvlan``): those must be polled.
"""

from __future__ import annotations

import errno
import socket
from types import TracebackType
from typing import Self

from reconciler.linux.errors import refusal

# Multicast groups of rtnetlink(7), as numbered in linux/rtnetlink.h.
_LINK, _IPV4_ADDRESS, _IPV4_ROUTE, _IPV4_NETCONF = 1, 5, 7, 24
_GROUPS = sum(1 << (group - 1) for group in (_LINK, _IPV4_ADDRESS, _IPV4_ROUTE, _IPV4_NETCONF))
_CHUNK = 32768
_MOST_READS = 256


class Monitor:
    """The subscription. Wait for ``fileno()`` to be readable, then :meth:`drain`, then look."""

    def __init__(self) -> None:
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK,
                socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
                socket.NETLINK_ROUTE,
            )
            self._socket.bind((0, _GROUPS))
        except OSError as error:
            raise refusal("watch the kernel's network settings", error.errno or errno.EIO) from error

    def fileno(self) -> int:
        return self._socket.fileno()

    def drain(self) -> bool:
        """Throw away what has arrived (bounded: more leaves the descriptor readable). True if there was
        anything.
        """
        hint = False
        for _ in range(_MOST_READS):
            try:
                self._socket.recv(_CHUNK)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
            hint = True
        return hint

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
