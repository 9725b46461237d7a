"""A loop that runs in a thread over the small world: real files, the real watcher."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reconciler.loop.advice import Advice
from reconciler.loop.report import Report, Settled
from reconciler.loop.run import Loop
from reconciler.loop.waking.watch import Watch
from tests.loop.world import World
from tests.patience import PATIENCE


class Nobody:
    """No neighbours at all."""

    def here(self, _address: str) -> list[str]:
        return []

    def there(self, _interface: str, _address: str) -> None:
        return None


class Running:
    """A loop in a thread. Without a hint it looks once an hour; with ``poll`` there are no hints."""

    def __init__(self, world: World, *, poll: bool = False) -> None:
        self.world = world
        self.watch = Watch(self.world.wake.hint, poll=poll)
        advice = Advice(self.world.kernel, Nobody(), self.world.wake.hint)
        self.loop = Loop(
            self.world.reconciler,
            self.world.board,
            advice,
            self.world.wake,
            self.watch,
            3600,
            self.world.clock,
        )
        self.passed = threading.Condition()
        self.reports: list[Report] = []
        self._waited = 0
        step = self.loop.step

        def counted() -> tuple[Report, float]:
            report, delay = step()
            with self.passed:
                self.reports.append(report)
                self.passed.notify_all()
            return report, delay

        self.loop.step = counted  # type: ignore[method-assign]
        self.thread = threading.Thread(target=self.loop.run, args=(lambda: None,), daemon=True)
        self.thread.start()

    def until(self, fulfilled: Callable[[], bool], what: str) -> None:
        """Wait until a wish is found fulfilled after a pass."""
        with self.passed:
            if not self.passed.wait_for(fulfilled, PATIENCE):
                raise AssertionError(f"{what} never came: {self.world.conditions()}")
            self._waited = len(self.reports)

    def until_generation(self, number: int) -> None:
        def reached() -> bool:
            return any(r.applied == number and isinstance(r.end, Settled) for r in self.reports)

        self.until(reached, f"generation {number}")

    def until_looked(self) -> None:
        """Wait for the end of a pass after the one that was waited for last: it may have come already."""
        self.until(lambda: len(self.reports) > self._waited, "another pass")

    def close(self) -> None:
        self.world.wake.stop()
        self.thread.join()
        self.watch.close()
        self.world.close()
