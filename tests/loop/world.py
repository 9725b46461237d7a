"""A whole small world for the loop: a file, a fake engine behind its real socket, a fake kernel, a real
store.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from reconciler.loop.answering.orders import Orders
from reconciler.loop.conditions import Board
from reconciler.loop.keeping.store import Store
from reconciler.loop.reading.goal import Reader
from reconciler.loop.reconcile import Clocks, Reconciler
from reconciler.loop.report import Report, Settled
from reconciler.loop.supervise import Supervisor
from reconciler.loop.telling.events import Events
from reconciler.loop.waking.follow import Follower
from reconciler.loop.waking.wake import Wake
from reconciler.resources.registry import registry
from tests.fakes.engine import FakeEngine
from tests.fakes.kernel import FakeKernel
from tests.patience import PATIENCE

SITE = """\
version: 1
interface: eth1
local_ip: 10.0.0.1
pool_start: 10.0.0.8
pool_size: 8
users:
  theo: one
  pablo:
    password: two
    ip: 10.0.1.9
"""


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now


class World:
    """``edit`` the file, ``step`` the loop, look at the ``engine`` and the ``kernel``."""

    def __init__(
        self, directory: Path, interfaces: Sequence[str] = ("eth1",), path: Path | None = None
    ) -> None:
        self.directory = directory
        self.path = path or directory / "site.yaml"
        self.clock = Clock()
        self.engine = FakeEngine(directory, interfaces, device="tun0").start()
        self.kernel = FakeKernel(interfaces, device="tun0")
        self.events = Events()
        self.wake = Wake()
        self.board = Board(self.events)
        self.boot()

    def boot(self, boot: str = "boot-1") -> None:
        """A new reconciler process, over the same directories, in one boot of the machine or another."""
        self.store = Store.open(self.directory / "state", boot)
        self.supervisor = Supervisor(self.directory, ["/bin/false"], self.clock)
        self._follow()
        self.reconciler = Reconciler(
            self.path,
            Reader(self.store.key, "box"),
            self.supervisor,
            registry(self.supervisor.client, self.kernel, self.store),
            self.store,
            self.events,
            Clocks(self.clock, self.clock),
        )

        clocks = Clocks(self.clock, self.clock)
        self.orders = Orders(self.reconciler, self.events, clocks, self._pass)

    def _pass(self, seconds: float) -> None:
        self.clock.now += seconds

    def _follow(self) -> None:
        self.follower = Follower(self.directory, self.events, self.wake)
        self.follower.start()
        assert self.follower.following.wait(PATIENCE)

    def halt(self) -> None:
        """The reconciler process ends; the engine stays."""
        self.follower.close()
        self.supervisor.client.close()
        self.store.close()

    def restart(self) -> None:
        """Another reconciler process over the same directories, in the same boot of the machine."""
        self.halt()
        self.boot()

    def close(self) -> None:
        self.halt()
        self.engine.stop()

    def edit(self, text: str = SITE) -> World:
        self.path.write_text(text)
        return self

    def step(self) -> Report:
        """One pass, judged."""
        report = self.reconciler.run()
        self.board.take(report, {}, self.clock.now)
        return report

    def settle(self, passes: int = 12) -> list[Report]:
        """Passes until one is settled; time passes as asked in between."""
        reports: list[Report] = []
        for _ in range(passes):
            reports.append(self.step())
            if isinstance(reports[-1].end, Settled):
                return reports
            self.wait(self.board.take(reports[-1], {}, self.clock.now))
        raise AssertionError(f"not settled after {passes} passes: {reports[-1].end}, left {reports[-1].left}")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.now += seconds

    def conditions(self) -> dict[str, tuple[bool, str]]:
        return {c.type: (c.status, c.reason) for c in self.board.conditions}


def hear(events: Events, kind: str) -> None:
    """Wait until an event of this kind has come."""
    end = time.monotonic() + 20.0
    while not any(entry.event["type"] == kind for entry in events.after(0)):
        assert time.monotonic() < end, f"no {kind}"
        events.after(events.last, 0.1)


def paths(report: Report) -> list[str]:
    """What a pass set out to do, as ``op path``."""
    assert report.plan is not None
    return sorted(f"{change.op} {change.path}" for change in report.plan.changes)
