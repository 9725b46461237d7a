"""The loop: passes, one after the other, woken by hints and by time; and passes on demand, until all is
settled.

Threads take turns: the main thread runs :meth:`Loop.run`, the API's call :meth:`Loop.converge`. It must not
know what a pass does.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.blame import described
from reconciler.garbage import uncollected
from reconciler.loop.advice import Advice
from reconciler.loop.conditions import Board
from reconciler.loop.reconcile import Reconciler
from reconciler.loop.report import Again, Report, Settled
from reconciler.loop.waking.wake import SOON, Wake
from reconciler.loop.waking.watch import Watch
from reconciler.loop.warnings import Warnings

INTERVAL = 5.0
"""Seconds between two passes without a hint."""

POLLING = 1.0
"""The same where the kernel does not tell of changed files."""

AFTER_A_BUG = 5.0

log = logging.getLogger("reconciler")


@dataclass(frozen=True, slots=True)
class Converged:
    """What a series of passes came to. ``first`` is the one whose plan was carried out first."""

    first: Report
    last: Report
    in_time: bool

    @property
    def settled(self) -> bool:
        return isinstance(self.last.end, Settled)


class Loop:
    """Ties the reconciler to what wakes it and to what judges it."""

    def __init__(
        self,
        reconciler: Reconciler,
        board: Board,
        advice: Advice,
        wake: Wake,
        watch: Watch,
        interval: float = INTERVAL,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.board = board
        self.bugs = 0
        """Passes that ended by an error of our own."""
        self._reconciler = reconciler
        self._advice = advice
        self._wake = wake
        self._watch = watch
        self._interval = interval
        self._wall = wall
        self._warnings = Warnings()

    def run(self, alive: Callable[[], None]) -> None:
        """Passes until told to stop. ``alive`` is called before each, every few seconds at the least."""
        while not self._wake.stopping:
            alive()
            try:
                _, delay = self.step()
            except Exception as error:  # a bug of ours must not take the machine's keeper away
                self._confess(error)
                delay = AFTER_A_BUG
            interval = self._interval if self._watch.mode == "inotify" else min(self._interval, POLLING)
            self._wake.wait(min(delay, interval))

    def look(self) -> Report | None:
        """Ask for a pass; gives back the report of the last one that began before."""
        with self._reconciler.turn:
            self._wake.hint()
            return self.board.report

    def step(self) -> tuple[Report, float]:
        """One pass; gives back its report, and in how many seconds the next is due."""
        with self._reconciler.turn:
            began = time.monotonic()
            with uncollected():
                report = self._reconciler.run()
            self._wake.took(time.monotonic() - began)
            if report.newly_applied:
                gc.freeze()
            self._warnings.tell(report.intake.source)
            if self._watch.follow({self._reconciler.path, *report.intake.source.files}):
                # Something may have moved before it was watched.
                self._wake.hint()
            self.board.watching = self._watch.mode
            delay = self.board.take(report, self._advice.about(report), self._wall())
            return report, min(delay, self._reconciler.due())

    def hint(self) -> None:
        """Ask for a pass soon."""
        self._wake.hint()

    def converge(self, timeout: float, begun: Report | None = None) -> Converged:
        """Passes until one is settled or blocked, or ``timeout`` seconds have passed. ``begun`` is the report
        of the first, if that was made in the turn in which the order was given, so that no other pass would
        carry it out unseen.
        """
        deadline = time.monotonic() + timeout
        first = report = self.step()[0] if begun is None else begun
        while True:
            left = deadline - time.monotonic()
            if not isinstance(report.end, Again) or left <= 0 or self._wake.stopping:
                return Converged(first, report, left > 0)
            time.sleep(min(report.end.after, left, SOON))
            report, _ = self.step()
            if not first.plan:
                first = report

    def _confess(self, error: Exception) -> None:
        """Where it happened, but not the error's text, which may quote a password."""
        self.bugs += 1
        log.critical("a pass failed by a bug: %s", described(error))
        self.board.broken(
            f"a pass failed by a bug ({type(error).__name__}); the log says where", self._wall()
        )
