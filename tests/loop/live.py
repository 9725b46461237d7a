"""A small world with the real engine in it: a file, a fake kernel, a real store, subscribers who dial in.

What happens there is exact: no threads, no sockets, time as told. Neighbours: ``tests.fakes.hosted`` is the
engine, ``tests.loop.world`` the rest.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Callable
from pathlib import Path

from reconciler.engine import views
from reconciler.engine.access.effects import Event
from reconciler.engine.messages import SessionView
from reconciler.loop.conditions import Board
from reconciler.loop.telling.events import Events
from reconciler.loop.waking.wake import Wake
from reconciler.plan.change import Plan
from reconciler.plan.guard import Verdict
from reconciler.resources.engine import NoEngineError
from tests.fakes.hosted import DEVICE, Direct, Hosted, key_of
from tests.fakes.kernel import FakeKernel
from tests.loop.world import Clock, World
from tests.peer import Subscriber

INTERFACES = ("eth1", "eth2")
MACS = tuple(bytes([2, 0, 0, 0, 0, number]) for number in range(1, 7))


class Crash(BaseException):
    """The reconciler's process ends here: nothing may catch it."""


class CarefulKernel(FakeKernel):
    """Notes in ``harm`` whenever a session that had its way through the kernel loses it."""

    def __init__(self) -> None:
        super().__init__(INTERFACES, device=DEVICE)
        self.harm: list[str] = []
        self.stranded: Callable[[], set[str]] = set
        self.boundary: Callable[[str], None] = lambda _what: None

    def _do(self, operation: str, what: str) -> None:
        self.boundary(f"before {operation} {what}")
        super()._do(operation, what)

    def remove_address(self, address: str, device: str) -> None:
        self._watched(lambda: super(CarefulKernel, self).remove_address(address, device))

    def remove_route(self, network: str, device: str) -> None:
        self._watched(lambda: super(CarefulKernel, self).remove_route(network, device))

    def _watched(self, do: Callable[[], None]) -> None:
        before = self.stranded()
        do()
        lost = self.stranded() - before
        self.harm += [f"{self.log[-1]}: {who}" for who in sorted(lost)]


class LiveWorld(World):
    """``edit`` the file, ``step`` the loop, have ``subscribers`` dial, and look at whom that touches."""

    kernel: CarefulKernel

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "site.yaml"
        self.clock = Clock()
        self.kernel = CarefulKernel()
        self.kernel.stranded = self.stranded
        self.hosted = Hosted(directory, self.kernel)
        self.hosted.on_event = self._hear
        self.events = Events()
        self.wake = Wake()
        self.board = Board(self.events)
        self.subscribers = {mac: Subscriber(mac) for mac in MACS}
        self.boot()

    def _follow(self) -> None:
        self.supervisor.client = Direct(self.hosted)

    def _hear(self, event: Event) -> None:
        self.events.add({**views.event_view(event)})

    def halt(self) -> None:
        self.store.close()

    def close(self) -> None:
        self.halt()
        self.hosted.close()

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        self.hosted.advance(seconds)

    def preview(self) -> tuple[Plan, Verdict]:
        """What an apply of the file would do now."""
        return self.reconciler.plan(self.reconciler.understand(self.path.read_bytes(), self.path))

    def sessions(self) -> dict[tuple[str, str, int], SessionView]:
        return self.hosted.sessions()

    def up(self) -> set[tuple[str, int]]:
        """MAC address and session id of everybody who thinks to be up."""
        return {(one.mac.hex(":"), one.session_id) for one in self.subscribers.values() if one.state == "up"}

    def stranded(self) -> set[str]:
        """The sessions that carry packets and whose address no route leads to, or whose peer is nobody."""
        routes = [ipaddress.ip_network(route) for route in self.kernel.routes]
        lost = set()
        for session in self.hosted.up():
            assert session.address is not None
            address = ipaddress.ip_address(session.address)
            peer = str(ipaddress.ip_address(session.config.local_ip))
            if peer not in self.kernel.addresses or not any(address in route for route in routes):
                lost.add(f"{key_of(session.key)} {address} with {peer}")
        return lost

    def at_boundary(self, number: int, happens: Callable[[str], None]) -> None:
        """Have something happen at a boundary, counted from 1: before or after anything that is asked of the
        engine, or before anything that is asked of the kernel.
        """
        boundaries = itertools.count(1)

        def passed(what: str) -> None:
            if next(boundaries) == number:
                happens(what)

        self.hosted.boundary = self.kernel.boundary = passed

    def reconciler_dies(self, what: str) -> None:
        raise Crash(what)

    def engine_dies(self, what: str) -> None:
        """Another one is there at once, but whoever has just asked gets no answer."""
        self.hosted.restart()
        raise NoEngineError(f"died {what}")

    def undisturbed(self) -> None:
        self.hosted.boundary = self.kernel.boundary = lambda _what: None
