"""The sandbox's wiring: one switch with the concentrator, a router and the subscribers on it, in
namespaces.

::

    8.8.8.8 ── router 10.214.2.1 ──┐
               concentrator  ──────┤ switch
               subscriber  ────────┤
               subscriber  ────────┘

The concentrator has a single interface, ``eth0``, an address of the LAN (10.214.2.2) and the router as
its gateway; forwarding and proxy ARP are off there: turning them on is what is being tried. The router
takes 10.214.2.0/24 to be on its own wire and knows no other way to a subscriber, so answers come back by
proxy ARP or not at all. Subscribers have an ``eth0`` without an address.

It makes and removes namespaces and nothing else; what runs in them is the sandbox's business.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
from types import TracebackType
from typing import Self

from reconciler.linux import links, netns, sysctl
from reconciler.linux.errors import KernelError

AC_MAC = "02:00:00:00:02:02"
AC_ADDRESS = "10.214.2.2"
ROUTER_ADDRESS = "10.214.2.1"
LAN_PREFIX = 24
FAR_ADDRESS = "8.8.8.8"
_FAR_GATEWAY = "8.8.8.1"

_SWITCH, _AC, _ROUTER, _FAR = "switch", "ac", "router", "far"
_numbers = itertools.count(1)
_OURS = re.compile(r"rc-(\d+)-")


class Topology:
    """The wiring, for the time of a ``with`` block. Names are its own: ``rc-PID-1-ac``."""

    def __init__(self, subscribers: tuple[str, ...]) -> None:
        self.subscribers = subscribers
        self._prefix = f"rc-{os.getpid()}-{next(_numbers)}"
        self._undo = contextlib.ExitStack()
        self._ports = 0

    @property
    def ac(self) -> str:
        """The concentrator's namespace."""
        return self.namespace(_AC)

    def namespace(self, name: str) -> str:
        """The namespace of a subscriber, or of another station."""
        return f"{self._prefix}-{name}"

    def mac(self, subscriber: str) -> str:
        """A subscriber's MAC address."""
        return f"02:00:00:00:03:{self.subscribers.index(subscriber) + 1:02x}"

    def __enter__(self) -> Self:
        sweep()
        with contextlib.ExitStack() as undo:
            self._undo = undo
            self._add_switch()
            self._add_router()
            self._add_ac()
            for name in self.subscribers:
                self._add_subscriber(name)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def plug(self, name: str) -> str:
        """Add a namespace of that name with an ``eth0`` on the switch, up and without an address."""
        self._add_namespace(name)
        self._ports += 1
        port = f"port{self._ports}"
        with netns.inside(self.namespace(_SWITCH)):
            links.create_veth(port, "eth0", self.namespace(name))
            links.join(port, "sw0")
            links.bring(port, up=True)
        with netns.inside(self.namespace(name)):
            links.disable_checksum_offload("eth0")
            links.bring("eth0", up=True)
        return self.namespace(name)

    def _add_switch(self) -> None:
        self._add_namespace(_SWITCH)
        with netns.inside(self.namespace(_SWITCH)):
            links.create_bridge("sw0")

    def _add_router(self) -> None:
        self._add_namespace(_FAR)
        with netns.inside(self.plug(_ROUTER)):
            links.assign("eth0", ROUTER_ADDRESS, LAN_PREFIX)
            links.create_veth("eth1", "eth0", self.namespace(_FAR))
            links.assign("eth1", _FAR_GATEWAY, 24)
            links.bring("eth1", up=True)
            sysctl.write(sysctl.IP_FORWARD, 1)
        with netns.inside(self.namespace(_FAR)):
            links.assign("eth0", FAR_ADDRESS, 24)
            links.bring("eth0", up=True)
            links.default_route(gateway=_FAR_GATEWAY)

    def _add_ac(self) -> None:
        with netns.inside(self.plug(_AC)):
            links.set_mac("eth0", AC_MAC)
            links.assign("eth0", AC_ADDRESS, LAN_PREFIX)
            links.default_route(gateway=ROUTER_ADDRESS)
            sysctl.write(sysctl.IP_FORWARD, 0)
            for interface in ("all", "default", "eth0"):
                sysctl.write(sysctl.interface_key(interface, "proxy_arp"), 0)

    def _add_subscriber(self, name: str) -> None:
        with netns.inside(self.plug(name)):
            links.set_mac("eth0", self.mac(name))
            # Linux answers ARP on any interface for all its addresses. A subscriber who did that for the
            # address of its ppp0 would get its answers past the session, and past the concentrator.
            sysctl.write(sysctl.interface_key("all", "arp_ignore"), 1)

    def _add_namespace(self, name: str) -> None:
        full = self.namespace(name)
        netns.create(full)
        self._undo.callback(_clear, full)
        with netns.inside(full):
            links.bring("lo", up=True)


def sweep() -> None:
    """Remove what sandboxes left behind whose process is gone: their namespaces, and who still lives in
    them.
    """
    for name in netns.names():
        ours = _OURS.match(name)
        if ours and not _alive(int(ours[1])):
            _clear(name)


def _clear(name: str) -> None:
    with contextlib.suppress(KernelError):
        for process in netns.processes(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        netns.remove(name)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
