"""SIGTERM and its kind, for a main thread that waits for other things than signals.

The kernel gives a signal to any thread, and Python's handlers run only when the main thread runs: one that
waits may sleep on, for as long as it waits. So a signal is heard of by a descriptor, to which the interpreter
writes from whichever thread it met, and a thread of its own reads that. It must not know what a pass does.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.loop.waking.wake import Wake

_HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def heeded(wake: Wake) -> Iterator[threading.Event]:
    """SIGTERM and SIGINT stop the loop, and set the event when they come again; SIGHUP, from habit, asks for
    a look. To be entered by the main thread.
    """
    impatient = threading.Event()
    hears, told = socket.socketpair()
    told.setblocking(False)  # as the interpreter wants it
    reader = threading.Thread(target=_heed, args=(hears, wake, impatient), name="signals", daemon=True)
    with hears:
        with told:
            before = {number: signal.signal(number, lambda *_: None) for number in _HEEDED}
            outer = signal.set_wakeup_fd(told.fileno())
            reader.start()
            try:
                yield impatient
            finally:
                signal.set_wakeup_fd(outer)
                for number, handler in before.items():
                    signal.signal(number, handler)
        reader.join()


def _heed(hears: socket.socket, wake: Wake, impatient: threading.Event) -> None:
    while numbers := hears.recv(64):
        for number in numbers:
            if number == signal.SIGHUP:
                wake.hint()
            elif number in _HEEDED:
                if wake.stopping:
                    impatient.set()
                wake.stop()
