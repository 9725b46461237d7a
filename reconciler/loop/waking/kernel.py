"""Wakes the loop when the kernel's links, addresses, routes, forwarding settings or rules change.

A thread of its own around ``linux.monitor``. A box may be a busy router whose routes change all the time:
after a hint it looks away for a moment, since one look covers whatever came meanwhile; for a longer one when
there were many. It must not know what changed.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable

from reconciler.linux.monitor import Monitor

RESPITE = 0.01
"""Seconds between two hints at least."""

MOST = 20
"""So many hints in a row; then one every ``SPARINGLY`` seconds, and for each such time of quiet one more."""
SPARINGLY = 0.5


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
        left, last = float(MOST), time.monotonic()
        while not self._stopped([self._monitor.fileno()], None):
            now = time.monotonic()
            left, last = min(left + (now - last) / SPARINGLY, MOST), now
            if self._monitor.drain():
                self._hint()
                left -= 1
            if self._stopped([], RESPITE if left >= 1 else SPARINGLY):
                return

    def _stopped(self, others: list[int], timeout: float | None) -> bool:
        ready, _, _ = select.select([self._stop_read, *others], [], [], timeout)
        return self._stop_read in ready
