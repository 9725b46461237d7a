"""The two ends of a veth pair: subscribers' packets appear on the near one; the program sits at the far one.

The kernel routes to the near end through one neighbour that is always there, or each subscriber would become
a neighbour of its own. A session that takes smaller packets than the device gets a route that says so: the
kernel then cuts, or refuses, what is too large for it. Neighbours: ``path``. It must not know maps.
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from reconciler.engine.datapath.base import VIA, PathError
from reconciler.linux import interface, offload, veth
from reconciler.linux.errors import KernelError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reconciler.linux.rtnl import Rtnl

_NEIGHBOUR = socket.inet_aton(VIA)
MTU = 1492
"""Of the near end, in octets (RFC 2516 §7), until a session takes more (RFC 4638)."""
PROTOCOL = 215
"""Marks our routes as nobody else's."""
_FAR_MTU = 1500
_LONGEST = 200  # characters of a directory in an alias, which may have 255
_LOCAL = 0x02  # in a MAC address: given by nobody


class Pair:
    """A pair that is there, set up for our use. ``near`` is the near end's name, ``mac`` its address."""

    def __init__(self, rtnl: Rtnl, near: veth.End) -> None:
        here = interface.read(near.name)
        self.near, self.mac = near.name, here.mac
        self.index, self.far_index = near.ifindex, near.other
        self.takes_native = "rx-gro" not in offload.active(_far(near.name))
        """Whether GRO lets the near end take what native XDP redirects: so since Linux 5.13, where a veth has
        it off at first.
        """
        self._rtnl = rtnl
        self._mtu = here.mtu
        self._sizes: dict[bytes, int] = {}
        self._routes: dict[bytes, int] = {}
        self.renew()

    def is_there(self) -> bool:
        """Whether nobody has taken it away."""
        try:
            return interface.read(self.near).ifindex == self.index
        except OSError:
            return False

    def renew(self) -> None:
        """Put back what is lost when the device is set down, the neighbour and the sessions' routes, and what
        somebody may have changed: its offloads, and how many segments it is given at once.
        """
        with suppress(KernelError):  # it has just been taken away
            _have_packets_whole(self.near)
            veth.give_many(self._rtnl, self.index)
        with suppress(KernelError):  # while it is down
            veth.set_neighbour(self._rtnl, self.index, _NEIGHBOUR, self.mac)
            self._routes = veth.routed(self._rtnl, self.index, PROTOCOL)
            for address in self._sizes:
                self._route(address)

    def fit(self, address: bytes, mtu: int) -> None:
        """From now on, have packets of at most ``mtu`` octets come for this address."""
        self._sizes[address] = mtu
        self._route(address)
        self.widen(mtu)

    def widen(self, mtu: int) -> None:
        """Have the near end take packets of ``mtu`` octets, both ways, if it does not yet."""
        if mtu > self._mtu:
            self._mtu = mtu
            for narrow in self._sizes:
                self._route(narrow)
            with suppress(OSError):  # it has been taken away: the next one is as wide
                interface.set_mtu(self.near, mtu)

    def forget(self, address: bytes) -> None:
        """Nobody has this address any more."""
        self._sizes.pop(address, None)
        self._route(address)

    def resemble(self, before: Pair) -> None:
        """Fit the addresses that another pair did."""
        self.widen(before._mtu)
        for address, mtu in before._sizes.items():
            self.fit(address, mtu)

    def delete(self) -> None:
        """Take it away, if it is there."""
        with suppress(KernelError):
            veth.delete(self._rtnl, self.index)

    def _route(self, address: bytes) -> None:
        size = self._sizes.get(address, self._mtu)
        if size < self._mtu:
            if self._routes.get(address) != size:
                with suppress(KernelError):  # the device is down, or gone: renewed when it is back
                    veth.set_route(self._rtnl, address, _NEIGHBOUR, self.index, size, PROTOCOL)
                    self._routes[address] = size
        elif self._routes.pop(address, None) is not None:
            with suppress(KernelError):  # somebody else was first
                veth.remove_route(self._rtnl, address, _NEIGHBOUR, self.index, PROTOCOL)


def find(rtnl: Rtnl, runtime_dir: Path) -> Pair | None:
    """The pair that an engine of this runtime directory has made, if it is there."""
    for near in veth.ends(rtnl, _alias(runtime_dir)):
        return Pair(rtnl, near)
    return None


def make(rtnl: Rtnl, runtime_dir: Path, name: str | None = None) -> Pair:
    """A new pair; ``name`` is the near end's, the first free ``pppoe0``, ``pppoe1``... without. Raises
    ``KernelError``; ``PathError`` if it vanished at once.
    """
    mac = os.urandom(6)
    mac = bytes([mac[0] & ~1 | _LOCAL]) + mac[1:]
    name = _create(rtnl, mac, [name] if name else (f"pppoe{n}" for n in count()))
    interface.set_mtu(name, MTU)
    _have_packets_whole(name)
    far = interface.read(_far(name))
    veth.bring_up(rtnl, far.ifindex, f"{_alias(runtime_dir)}, the far end")
    veth.bring_up(rtnl, interface.read(name).ifindex, _alias(runtime_dir))
    made = find(rtnl, runtime_dir)
    if made is None:
        raise PathError(f"the device {name} was taken away")
    return made


def _create(rtnl: Rtnl, mac: bytes, names: Iterable[str]) -> str:
    for name in names:
        try:
            veth.create(rtnl, name, mac, _far(name), _FAR_MTU)
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise
        else:
            return name
    raise PathError("its device's name has been taken by another device")


def _have_packets_whole(near: str) -> None:
    """A frame is built for one packet: nothing may come that is still to be cut, or has no checksum yet."""
    offload.switch(near, lambda feature: True if feature == "rx-gro" else _off(feature))


def _off(feature: str) -> bool | None:
    return False if feature.startswith("tx-") else None


def _far(near: str) -> str:
    return f"{near}-far"


def _alias(runtime_dir: Path) -> str:
    return f"PPPoE sessions of {str(runtime_dir.resolve())[-_LONGEST:]}"
