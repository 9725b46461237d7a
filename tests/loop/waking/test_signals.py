"""Signals are heeded whichever thread the kernel gives them to, while the main thread waits."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from reconciler.loop.waking.signals import heeded
from reconciler.loop.waking.wake import Wake

LONG = 3600.0
PATIENCE = 30.0


def beside(work: Callable[[], object]) -> threading.Thread:
    """Work that a thread does while the main thread waits."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


class Stranger:
    """A thread that waits for something else, and is given signals."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = beside(self._over.wait)

    def take(self, number: signal.Signals) -> None:
        assert self._thread.ident is not None
        signal.pthread_kill(self._thread.ident, number)

    def end(self) -> None:
        self._over.set()
        self._thread.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_waits_for_an_hour_stops_at_once(number: signal.Signals) -> None:
    wake, stranger = Wake(), Stranger()
    with heeded(wake) as impatient:
        thread = beside(lambda: stranger.take(number))
        wake.wait(LONG)
        thread.join()
        assert wake.stopping
        assert not impatient.is_set()
        stranger.take(number)
        assert impatient.wait(PATIENCE), "told twice"
    stranger.end()


def test_hangup_asks_for_a_look_and_stops_nothing() -> None:
    wake, stranger = Wake(), Stranger()
    with heeded(wake):
        thread = beside(lambda: stranger.take(signal.SIGHUP))
        wake.wait(LONG)
        thread.join()
    assert not wake.stopping
    stranger.end()


def test_afterwards_signals_are_whose_they_were() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    descriptor = signal.set_wakeup_fd(-1)
    with heeded(Wake()):
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)] == before
    assert signal.set_wakeup_fd(descriptor) == descriptor
