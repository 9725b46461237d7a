"""Sessions that end because they have lasted, or idled, long enough."""

from __future__ import annotations

from reconciler.engine.access.effects import Key
from tests.engine.access.bench import Bench
from tests.peer import Subscriber


def dialled(bench: Bench, name: str, number: int) -> Subscriber:
    return bench.dial(Subscriber(bytes([2, 0, 0, 0, 0, number]), name.encode(), b"test"))


def look(bench: Bench, packets: dict[Key, int]) -> None:
    bench.deliver(bench.concentrator.carried(packets, bench.now))


def test_a_session_ends_when_it_has_lasted_as_long_as_it_may() -> None:
    bench = Bench()
    bench.configure(session_timeout=3600)
    theo = dialled(bench, "theo", 1)
    bench.advance(3590)
    assert theo.state == "up"
    bench.advance(20)
    assert theo.state == "closed"
    assert bench.events("session_closed") == [(b"theo", "session_timeout")]
    assert dialled(bench, "theo", 1).state == "up", "and may come back"


def test_a_time_limit_is_for_sessions_that_begin_under_it() -> None:
    bench = Bench()
    theo = dialled(bench, "theo", 1)
    bench.configure(session_timeout=60)
    pablo = dialled(bench, "pablo", 2)
    bench.advance(120)
    assert (theo.state, pablo.state) == ("up", "closed")


def test_who_carries_nothing_for_long_enough_is_ended_and_who_does_is_not() -> None:
    bench = Bench()
    bench.configure(idle_timeout=300)
    idle, busy = dialled(bench, "theo", 1), dialled(bench, "pablo", 2)
    keys = {session.user.name: session.key for session in bench.concentrator if session.user}
    for count in range(1, 41):
        bench.advance(10)
        look(bench, {keys[b"theo"]: 7, keys[b"pablo"]: count})
    assert (idle.state, busy.state) == ("closed", "up")
    assert bench.events("session_closed") == [(b"theo", "idle_timeout")]


def test_without_a_limit_nobody_is_looked_at() -> None:
    bench = Bench()
    dialled(bench, "theo", 1)
    assert not bench.concentrator.minds_idling
    bench.configure(idle_timeout=300)
    assert not bench.concentrator.minds_idling, "theo began without"
    dialled(bench, "pablo", 2)
    assert bench.concentrator.minds_idling


def test_a_look_at_a_session_that_is_gone_is_harmless() -> None:
    bench = Bench()
    look(bench, {Key("eth0", (), bytes(6), 9): 1})
    assert bench.log == []
