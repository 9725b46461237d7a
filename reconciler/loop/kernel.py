"""Wakes the loop when the kernel's links, addresses, routes, forwarding settings or rules change.

A thread of its own around ``linux.monitor``. A box may be a busy router whose routes change all the time:
after a hint it looks away for a moment, since one look covers whatever came meanwhile, and for longer when
there is no end to it. It must not know what changed.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

from reconciler.linux.monitor import Monitor

SHORTEST, LONGEST = 0.02, 0.64
"""Seconds between two hints at least: the first where it was quiet before, twice as many after each moment
that was not.
"""


class KernelWatch:
    """Calls ``hint`` after changes until closed. Raises ``KernelError`` when the kernel does not tell."""

    def __init__(self, hint: Callable[[], None]) -> None:
        self._hint = hint
        self._monitor = Monitor()
        self._stop_read, self._stop_write = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="kernel-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        os.close(self._stop_write)
        self._thread.join()
        os.close(self._stop_read)
        self._monitor.close()

    def _run(self) -> None:
        respite = SHORTEST
        while not self._stopped([self._monitor.fileno()], None):
            if self._monitor.drain():
                self._hint()
            if self._stopped([], respite):
                return
            noisy, _, _ = select.select([self._monitor.fileno()], [], [], 0)
            respite = min(respite * 2, LONGEST) if noisy else SHORTEST

    def _stopped(self, others: list[int], timeout: float | None) -> bool:
        ready, _, _ = select.select([self._stop_read, *others], [], [], timeout)
        return self._stop_read in ready
