"""Limits: floods stay bounded, failing clients wait, and nobody else notices (conformance items D22, A22)."""

from __future__ import annotations

from reconciler.engine.access import memo
from reconciler.engine.access.effects import Dropped, Send
from reconciler.engine.access.limits import REMEMBERED, Limits, Logins, Solicitations
from reconciler.engine.wire.drop import Drop
from reconciler.engine.wire.pppoe import Code, TagType
from tests.engine.access.bench import Bench, user
from tests.engine.access.test_concentrator import subscriber
from tests.engine.access.test_discovery import NAME, answered, cookie, frame, only

THEO, MALLORY = b"\x02theo\0", b"\x02mall\0"


def mac(n: int) -> bytes:
    return b"\x02\xff" + n.to_bytes(4, "big")


def test_D22_one_client_is_answered_at_a_bounded_rate_and_others_at_once() -> None:
    bench = Bench()
    flood = [bench.receive(frame(Code.PADI, NAME)) for _ in range(1000)]
    assert sum(isinstance(effects[0], Send) for effects in flood) == 20
    assert flood[-1] == [Dropped(Drop.PADI_RATE)]
    answered(bench, frame(Code.PADI, NAME, source=mac(1)))


def test_D22_any_number_of_clients_is_answered_at_a_bounded_rate_and_leaves_no_memory() -> None:
    bench = Bench()
    bench.configure(
        limits={"padi_per_mac": 5, "padi_total": 100, "half_open": 0, "failed_logins": 0, "lockout": 0}
    )
    flood = [bench.receive(frame(Code.PADI, NAME, source=mac(n))) for n in range(10_000)]
    assert sum(isinstance(effects[0], Send) for effects in flood) == 100
    assert len(bench.concentrator) == 0


def test_D22_only_the_most_recent_clients_are_remembered() -> None:
    solicitations = Solicitations(Limits(padi_total=0))
    for n in range(3 * REMEMBERED):
        assert solicitations.take(mac(n), 0.0)
    assert len(solicitations._each._values) == REMEMBERED


def test_D22_a_client_cannot_use_up_the_session_ids_of_all() -> None:
    bench = Bench()
    _, _, offer = answered(bench, frame(Code.PADI, NAME))
    padr = frame(Code.PADR, NAME, (int(TagType.AC_COOKIE), only(offer, TagType.AC_COOKIE)))
    begun = 0
    for _ in range(1000):  # begin a session, hang up, begin another
        for effect in bench.receive(padr):
            if isinstance(effect, Send):
                begun += 1
                session_id = int.from_bytes(effect.frame[16:18], "big")
                bench.receive(frame(Code.PADT, session_id=session_id))
    assert begun == 20
    assert bench.receive(padr) == [Dropped(Drop.PADR_RATE)]
    assert answered(bench, frame(Code.PADR, NAME, cookie(bench, source=mac(1)), source=mac(1)))[1].session_id


def test_D27_when_too_many_are_half_open_a_padr_is_told_so() -> None:
    bench = Bench()
    bench.configure(
        limits={"padi_per_mac": 0, "padi_total": 0, "half_open": 3, "failed_logins": 0, "lockout": 0}
    )
    for n in range(3):
        bench.receive(frame(Code.PADR, NAME, cookie(bench, source=mac(n)), source=mac(n)))
    unique = (int(TagType.HOST_UNIQ), b"u")
    _, packet, tags = answered(
        bench, frame(Code.PADR, NAME, unique, cookie(bench, source=mac(9)), source=mac(9))
    )
    assert (packet.code, packet.session_id) == (Code.PADS, 0)
    assert [kind for kind, _ in tags] == [TagType.AC_SYSTEM_ERROR, TagType.HOST_UNIQ]


def test_D27_who_is_being_ended_keeps_nobody_out() -> None:
    bench = Bench()
    bench.configure(
        limits={"padi_per_mac": 0, "padi_total": 0, "half_open": 2, "failed_logins": 0, "lockout": 0}
    )
    for n, name in enumerate(("theo", "pablo"), 1):
        bench.dial(subscriber(n, name)).alive = False
    half_open = cookie(bench, source=mac(1))
    bench.receive(frame(Code.PADR, NAME, half_open, source=mac(1)))
    bench.concentrator.terminate([session.key for session in bench.concentrator], "x", bench.now)
    assert len(bench.concentrator) == 3, "they do not answer"
    assert bench.dial(subscriber(3, "yunhan")).state == "up"
    assert bench.concentrator._table.half_open == 0
    bench.advance(60)
    assert (bench.concentrator._table.half_open, len(bench.concentrator)) == (0, 1)


def test_A22_a_client_that_keeps_failing_waits_longer_and_longer() -> None:
    logins = Logins(Limits(failed_logins=3, lockout=60))
    waits, now = [], 0.0
    for _ in range(10):
        logins.failed(THEO, b"theo", now)
        start = now
        while logins.client_locked(THEO, now):
            now += 1.0
        waits.append(now - start)
    assert waits == [0, 0, 2, 4, 8, 16, 32, 60, 60, 60]
    now += 400
    logins.failed(THEO, b"theo", now)
    assert not logins.client_locked(THEO, now), "after a while all is forgotten"


def test_A22_strangers_cannot_lock_a_subscriber_out() -> None:
    logins = Logins(Limits(failed_logins=1))
    logins.succeeded(THEO, b"theo")
    logins.failed(MALLORY, b"theo", 0.0)
    assert logins.locked(MALLORY, b"theo", 1.0)
    assert logins.locked(mac(1), b"theo", 1.0), "nor may they go on from another address"
    assert not logins.locked(THEO, b"theo", 1.0)


def test_A22_strangers_cannot_lock_a_subscriber_out_however_many_others_log_in() -> None:
    logins = Logins(Limits(failed_logins=1))
    for n in range(2 * REMEMBERED):
        logins.succeeded(mac(n), f"user{n}".encode())
    logins.failed(MALLORY, b"user0", 0.0)
    assert not logins.locked(mac(0), b"user0", 1.0)


def lock(bench: Bench, name: str) -> None:
    """Have strangers fail as this user until nobody unknown may try."""
    for n in range(10, 18):
        bench.dial(subscriber(n, name, "guess"))


def test_A22_a_subscriber_is_known_whatever_changes_but_the_password() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    strict = {"padi_per_mac": 9, "padi_total": 99, "half_open": 9, "failed_logins": 1, "lockout": 60}
    bench.configure(limits=strict)
    bench.put(user("theo", sessions=2))
    bench.to_ac(theo.hangup(bench.now))
    lock(bench, "theo")
    assert bench.dial(theo).state == "up"
    bench.to_ac(theo.hangup(bench.now))
    bench.put(user("theo", "new"))
    lock(bench, "theo")
    assert bench.dial(subscriber(1, "theo", "new")).state != "up", "whose password it is now is not known"


def test_A22_after_a_restart_strangers_still_cannot_lock_a_subscriber_out() -> None:
    before, bench = Bench(), Bench()
    theo = before.dial(subscriber(1, "theo"))
    (session,) = before.concentrator
    known = memo.of(session)
    assert known is not None
    back = bench.concentrator.resume(memo.read(known), bench.concentrator.config, bench.now)
    assert back
    bench.deliver(back)
    lock(bench, "theo")
    assert bench.dial(theo).state == "up"


def test_A22_a_changed_user_may_try_again_at_once() -> None:
    bench = Bench()
    wrong = subscriber(1, "theo", "new")
    for _ in range(6):
        bench.dial(wrong)
    assert bench.receive(frame(Code.PADI, NAME, source=wrong.mac)) == [Dropped(Drop.LOCKED_OUT)]
    bench.put(user("theo", "new"))
    assert bench.dial(wrong).state == "up"


def test_A22_a_failing_client_hurts_nobody_else() -> None:
    bench = Bench()
    pablo = bench.dial(subscriber(2, "pablo"))
    for _ in range(10):
        bench.dial(subscriber(1, "theo", "guess"))
    assert pablo.state == "up"
    assert bench.dial(subscriber(3, "yunhan")).state == "up"


def test_no_limit_is_no_limit() -> None:
    logins = Logins(Limits(failed_logins=0))
    for n in range(100):
        logins.failed(THEO, b"theo", float(n))
    assert not logins.client_locked(THEO, 100.0)
