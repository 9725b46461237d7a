"""A descriptor that becomes readable when links, IPv4 addresses, IPv4 routes, IPv4 settings or rules of
nftables change.

What it says is a hint and no more: messages are thrown away unread, so a lost one, or an overrun of the
socket, costs nothing beyond a look at the real state, which whoever waits on it takes anyway. It covers
the network namespace in which it was made. The kernel is silent about a few settings (``send_redirects``,
``arp_ignore``, ``proxy_arp_pvlan``): those must be polled. Where it has no nftables there are no rules to
tell of.
"""

from __future__ import annotations

import errno
import select
import socket
from contextlib import suppress
from types import TracebackType
from typing import Self

from reconciler.linux.errors import refusal

# Multicast groups of rtnetlink(7), as numbered in linux/rtnetlink.h, and of linux/netfilter/nfnetlink.h.
_LINK, _IPV4_ADDRESS, _IPV4_ROUTE, _IPV4_NETCONF = 1, 5, 7, 24
_NFTABLES = 7
_ROUTING = sum(1 << (group - 1) for group in (_LINK, _IPV4_ADDRESS, _IPV4_ROUTE, _IPV4_NETCONF))
_NETLINK_NETFILTER = 12
_CHUNK = 32768
_MOST_READS = 256


class Monitor:
    """The subscription. Wait for ``fileno()`` to be readable, then :meth:`drain`, then look."""

    def __init__(self) -> None:
        try:
            self._sockets = [_subscribed(socket.NETLINK_ROUTE, _ROUTING)]
        except OSError as error:
            raise refusal("watch the kernel's network settings", error.errno or errno.EIO) from error
        with suppress(OSError):
            self._sockets.append(_subscribed(_NETLINK_NETFILTER, 1 << (_NFTABLES - 1)))
        self._ready = select.epoll()
        for one in self._sockets:
            self._ready.register(one, select.EPOLLIN)

    def fileno(self) -> int:
        return self._ready.fileno()

    def drain(self) -> bool:
        """Throw away what has arrived (bounded: more leaves the descriptor readable). True if there was
        anything.
        """
        heard = [_drain(one) for one in self._sockets]
        return any(heard)

    def close(self) -> None:
        self._ready.close()
        for one in self._sockets:
            one.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _subscribed(family: int, groups: int) -> socket.socket:
    made = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, family
    )
    try:
        made.bind((0, groups))
    except OSError:
        made.close()
        raise
    return made


def _drain(told: socket.socket) -> bool:
    hint = False
    for _ in range(_MOST_READS):
        try:
            told.recv(_CHUNK)
        except BlockingIOError:
            break
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
        hint = True
    return hint
