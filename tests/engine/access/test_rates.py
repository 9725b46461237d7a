"""Rate limits as the core tells them: with the path, in place, and back to none."""

from __future__ import annotations

import json

from reconciler.engine.access import memo
from reconciler.engine.access.config import UNLIMITED, Rate, packed
from reconciler.engine.access.effects import ClosePath, OpenPath, Shape
from tests.engine.access.bench import Bench, user
from tests.engine.access.test_endings import session_frame
from tests.peer import Subscriber

SLOW, FAST = Rate(1_000_000, 500_000), Rate(50_000_000, 10_000_000)
ADDRESS = packed("10.214.2.101")


def dialled(bench: Bench) -> Subscriber:
    return bench.dial(Subscriber(bytes([2, 0, 0, 0, 0, 1]), b"theo", b"test"))


def shapes(bench: Bench) -> list[Shape]:
    return [effect for effect in bench.log if isinstance(effect, Shape)]


def test_a_limit_counts_from_the_first_packet_to_the_last() -> None:
    bench = Bench()
    bench.put(user("theo", rate=SLOW))
    theo = dialled(bench)
    bench.to_ac(theo.hangup(bench.now))
    told = [effect for effect in bench.log if isinstance(effect, OpenPath | ClosePath | Shape)]
    assert [type(effect) for effect in told] == [OpenPath, Shape, ClosePath, Shape]
    assert shapes(bench) == [Shape(ADDRESS, SLOW), Shape(ADDRESS, UNLIMITED)]


def test_a_change_counts_at_once_and_ends_nobody() -> None:
    bench = Bench()
    theo = dialled(bench)
    assert shapes(bench) == [], "who has no limit costs nothing"
    for rate in (FAST, FAST, SLOW, UNLIMITED):
        assert bench.put(user("theo", rate=rate)).ended == []
    assert shapes(bench) == [Shape(ADDRESS, FAST), Shape(ADDRESS, SLOW), Shape(ADDRESS, UNLIMITED)]
    assert theo.state == "up"
    (session,) = bench.concentrator
    assert not bench.concentrator.stale(session), "a re-dial would give nothing else"


def test_who_is_not_in_yet_gets_the_limit_of_then() -> None:
    bench = Bench()
    bench.put(user("theo", rate=SLOW))
    bench.put(user("theo", rate=FAST))
    assert shapes(bench) == []
    dialled(bench)
    assert shapes(bench) == [Shape(ADDRESS, FAST)]


def test_who_was_removed_and_drains_cannot_shake_the_limit_off() -> None:
    bench = Bench()
    bench.put(user("theo", rate=SLOW))
    theo = dialled(bench)
    bench.remove("theo", terminate=False)
    (session,) = bench.concentrator
    bench.receive(session_frame(theo.mac, session.key.id, b"\x80\x21\x05\x03\0\x04"))
    bench.advance(4)
    bench.to_ac([session_frame(theo.mac, session.key.id, b"\x80\x21\x01\x04\0\x0a\3\6" + ADDRESS)])
    assert (session.state, session.rate) == ("opened", SLOW), "its addresses are agreed on anew"


def test_who_was_removed_and_drains_has_its_limit_after_a_restart_too() -> None:
    before, after = Bench(), Bench()
    before.put(user("theo", rate=SLOW))
    dialled(before)
    (session,) = before.concentrator
    kept = json.dumps(memo.of(session))
    after.remove("theo")
    back = after.concentrator.resume(memo.read(json.loads(kept)), after.concentrator.config, after.now)
    assert back is not None
    assert Shape(ADDRESS, SLOW) in back


def test_a_revoked_users_limit_goes_with_the_session() -> None:
    bench = Bench()
    bench.put(user("theo", rate=SLOW))
    dialled(bench)
    bench.remove("theo")
    assert shapes(bench)[-1] == Shape(ADDRESS, UNLIMITED)
