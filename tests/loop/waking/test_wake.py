"""Hints wake the loop: soonest first, bursts as one."""

from __future__ import annotations

import threading

from reconciler.loop.waking.wake import SOON, Wake


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def waited(wake: Wake, clock: Clock, at_most: float) -> float:
    """How long a wait takes, by a clock that waiting moves."""
    before = clock.now

    def pass_time(timeout: float) -> None:
        clock.now += timeout

    wake._changed.wait = pass_time  # type: ignore[assignment,method-assign]
    wake.wait(at_most)
    return round(clock.now - before, 6)


def test_without_hints_the_interval_passes() -> None:
    clock = Clock()
    assert waited(Wake(clock), clock, 5.0) == 5.0


def test_the_earliest_hint_wins_and_all_are_spent() -> None:
    clock = Clock()
    wake = Wake(clock)
    wake.hint(1.0)
    wake.hint(0.05)
    wake.hint(3.0)
    assert waited(wake, clock, 5.0) == 0.05
    assert waited(wake, clock, 5.0) == 5.0


def test_lazy_hints_leave_most_of_the_time_to_others() -> None:
    clock = Clock()
    wake = Wake(clock)
    wake.hint_lazily()
    assert waited(wake, clock, 9.0) == 0.25
    wake.took(0.5)
    wake.hint_lazily()
    assert waited(wake, clock, 9.0) == 5.0
    wake.took(0.5)
    wake.hint_lazily()
    wake.hint()
    assert waited(wake, clock, 9.0) == SOON


def test_a_hint_during_a_pass_is_not_lost() -> None:
    clock = Clock()
    wake = Wake(clock)
    wake.hint(0.05)
    clock.now += 2
    assert waited(wake, clock, 5.0) == 0


def test_a_hint_from_another_thread_ends_the_wait() -> None:
    wake = Wake()
    threading.Thread(target=wake.hint).start()
    wake.wait(60)


def test_stop_from_another_thread_ends_the_wait() -> None:
    wake = Wake()
    threading.Thread(target=wake.stop).start()
    wake.wait(60)
    assert wake.stopping
