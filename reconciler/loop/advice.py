"""Troubles that hinder nothing but the operator wants to hear of: a link that is down, an address in use
elsewhere.

Links are looked at with each pass. Addresses are probed for by a thread of its own, since asking the LAN
takes a second: when the question changes, every minute while there is a conflict, seldom otherwise. It must
not mend anything.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from reconciler.linux.errors import KernelError
from reconciler.loop.report import Report
from reconciler.resources.kernel import Kernel
from reconciler.site.model import Site

IN_CONFLICT, AT_PEACE = 60.0, 600.0
"""Seconds between two probes."""


class Question(NamedTuple):
    """Is ``address`` used by anybody but ``device``, here or on the links of ``interfaces``?"""

    address: str
    device: str | None
    interfaces: tuple[str, ...]


class Neighbourhood(Protocol):
    """Who else has an address. Both may raise ``KernelError``."""

    def here(self, address: str) -> Iterable[str]:
        """Names of this machine's devices that have it."""

    def there(self, interface: str, address: str) -> str | None:
        """The MAC address of another host on the interface's link that has it."""


class LinuxNeighbourhood:
    """The machine's own devices, and ARP."""

    def here(self, address: str) -> list[str]:
        from reconciler.linux import netlink

        return [found.device for found in netlink.addresses() if found.address == address]

    def there(self, interface: str, address: str) -> str | None:
        from reconciler.linux import arp, netlink

        mac = arp.holder(interface, address)
        return None if mac in {link.mac for link in netlink.links()} else mac


def verdict(question: Question, neighbours: Neighbourhood) -> str:
    """Who else has the address, and what to do about it; empty when nobody has. Takes about a second a
    link.
    """
    address = question.address
    try:
        for device in neighbours.here(address):
            if device != question.device:
                return (
                    f"local_ip {address} is also an address of {device} on this machine:"
                    " give one of them another address"
                )
    except KernelError:
        return ""
    for interface in question.interfaces:
        try:
            mac = neighbours.there(interface, address)
        except KernelError:
            continue
        if mac is not None:
            return f"local_ip {address} is in use by {mac} on {interface}: give one of them another address"
    return ""


class Advice:
    """Collects what to say. ``hint`` is called when a probe found something new."""

    def __init__(self, kernel: Kernel, neighbours: Neighbourhood, hint: Callable[[], None]) -> None:
        self._kernel = kernel
        self._neighbours = neighbours
        self._hint = hint
        self._question: Question | None = None
        self._answer = ""
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="address-probe", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()

    def about(self, report: Report) -> Mapping[str, str]:
        """A line for each trouble, by the type of its condition."""
        goal, advice = report.intake.goal, {}
        if goal is not None and goal.wanted is not None:
            site = goal.wanted.site
            self._ask(
                Question(str(site.local_ip), report.live.device if report.live else None, site.interface)
            )
            down = [
                name for name in site.interface if (found := self._kernel.interface(name)) and not found.up
            ]
            if down:
                advice["InterfaceDown"] = (
                    f"{down[0]} is down: bring it up (`ip link set {down[0]} up`) and check its cable"
                )
            absent = [name for name in site.nat.masquerade if self._kernel.interface(name) is None]
            if absent:
                advice["UplinkMissing"] = f"there is no {absent[0]}, by which `nat` lets packets leave"
            if unclamped := self._unclamped(report, site):
                advice["SegmentsNotClamped"] = unclamped
        if self._answer:
            advice["AddressInUse"] = self._answer
        return advice

    def _unclamped(self, report: Report, site: Site) -> str:
        if site.clamp_mss is not None or report.live is None or report.live.device is None:
            return ""
        why = self._kernel.no_tables()
        return f"{why}; or set `clamp_mss: false`" if why else ""

    def _ask(self, question: Question) -> None:
        with self._changed:
            if question != self._question:
                self._question = question
                self._changed.notify()

    def _run(self) -> None:
        asked: Question | None = None
        due = math.inf
        while True:
            with self._changed:
                while not self._closing and self._question == asked and (left := due - time.monotonic()) > 0:
                    self._changed.wait(None if left == math.inf else left)
                if self._closing or self._question is None:
                    return
                asked = self._question
            answer = verdict(asked, self._neighbours)
            due = time.monotonic() + (IN_CONFLICT if answer else AT_PEACE)
            if answer != self._answer:
                self._answer = answer
                self._hint()
