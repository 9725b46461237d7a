"""Threads that answer slow questions, so that the loop never waits for one.

A question is a password and a scrypt hash: tens of milliseconds of a core and megabytes of memory, so few run
at once and the rest wait here, in the loop's own thread, where what nobody wants any more is passed over.
``hashlib`` gives way to the loop while it computes, and the threads have a lower claim to the processor.
Neighbours: ``host``. It must not know sessions, nor what an answer leads to.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.engine.access.effects import Ask, Key

THREADS = 2
"""Questions being answered at once; each may take as much memory as its hash wants."""
ROOM = 1024
"""Questions that may wait. A subscriber waits for about 30 seconds, in which two threads answer this many."""
_MODEST = 10


class Answer(NamedTuple):
    """To the question with this key and number. None: it could not be found out."""

    key: Key
    number: int
    good: bool | None


class Workers:
    """``wanted`` says whether somebody still waits for the answer to a question. Threads are started when
    they are first needed.
    """

    def __init__(self, wanted: Callable[[Ask], bool], threads: int = THREADS, room: int = ROOM) -> None:
        self._wanted = wanted
        self._most, self._room = threads, room
        self._waiting: deque[Ask] = deque()
        self._asked: SimpleQueue[Ask | None] = SimpleQueue()
        self._answered: SimpleQueue[Answer] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """A descriptor that can be read from when there are answers."""
        return self._ready

    def ask(self, ask: Ask) -> bool:
        """Take a question. False: there is no room."""
        if len(self._waiting) >= self._room:
            return False
        self._waiting.append(ask)
        self._feed()
        return True

    def answers(self) -> Iterator[Answer]:
        """The answers since the last time."""
        os.eventfd_read(self._ready)
        while not self._answered.empty():
            self._busy -= 1
            yield self._answered.get()
        self._feed()

    def close(self) -> None:
        """Ask nothing any more. Each thread ends when it has finished what it is at; nobody waits for it."""
        self._waiting.clear()
        for _ in self._threads:
            self._asked.put(None)

    def _feed(self) -> None:
        """Give the threads that are free something to do."""
        while self._busy < self._most and self._waiting:
            ask = self._waiting.popleft()
            if self._wanted(ask):
                self._busy += 1
                if len(self._threads) < self._busy:
                    self._threads.append(threading.Thread(target=self._work, name="check", daemon=True))
                    self._threads[-1].start()
                self._asked.put(ask)

    def _work(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _MODEST)
        while (ask := self._asked.get()) is not None:
            try:
                good: bool | None = ask.question.answer()
            except (ValueError, MemoryError):  # its parameters are more than this machine has memory for
                good = None
            self._answered.put(Answer(ask.key, ask.number, good))
            os.eventfd_write(self._ready, 1)
