"""Draining: nobody comes in, everybody goes politely, and not faster than was asked."""

from __future__ import annotations

import pytest

from reconciler.engine.access.drain import STEP
from tests.engine.access.bench import Bench
from tests.engine.access.test_concentrator import subscriber
from tests.peer import Subscriber


def crowd(count: int) -> tuple[Bench, list[Subscriber]]:
    names = [f"u{number}" for number in range(count)]
    bench = Bench(*names)
    return bench, [bench.dial(subscriber(number, name)) for number, name in enumerate(names)]


def gone(bench: Bench) -> int:
    return len(bench.events("session_closed"))


@pytest.mark.parametrize(("rate", "seconds"), [(2.0, 5.0), (10.0, 1.0), (100.0, 0.1)])
def test_sessions_end_at_the_pace_that_was_asked_for(rate: float, seconds: float) -> None:
    bench, clients = crowd(10)
    bench.concentrator.drain(rate, bench.now)
    bench.advance(seconds / 2)
    assert abs(gone(bench) - 5) <= max(1, rate * STEP), "half of them after half of the time"
    bench.advance(seconds / 2 + 2 * STEP)
    assert (len(bench.concentrator), bench.paths) == (0, {})
    assert bench.events("session_closed") == [(f"u{n}".encode(), "drained") for n in range(10)]
    assert {client.state for client in clients} == {"closed"}, "each was told"


def test_nobody_comes_in_meanwhile_and_again_afterwards() -> None:
    bench, (theo, pablo) = crowd(2)
    bench.concentrator.drain(0.1, bench.now)
    bench.advance(1.0)
    assert (theo.state, pablo.state) == ("closed", "up")
    bench.dial(theo)
    assert theo.state != "up"
    assert "stopping" in bench.drops()
    bench.concentrator.admit()
    bench.advance(60.0)
    assert pablo.state == "up", "whose turn had not come stays"
    bench.subscribers.remove(theo)
    assert bench.dial(subscriber(0, "u0")).state == "up"


def test_a_silent_client_holds_nobody_up() -> None:
    bench, clients = crowd(3)
    clients[0].alive = False
    bench.concentrator.drain(10.0, bench.now)
    bench.advance(0.5)
    assert gone(bench) == 2
    bench.advance(30.0)
    assert len(bench.concentrator) == 0


def test_an_empty_box_drains_without_waking_for_it() -> None:
    bench = Bench()
    bench.concentrator.drain(5.0, bench.now)
    bench.advance(1.0)
    assert bench.concentrator.deadline() is None
    assert bench.concentrator.draining == 5.0
