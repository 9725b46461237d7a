"""Logins that take long to check: nothing waits for them, and an answer that comes too late does nothing."""

from __future__ import annotations

import hashlib

import pytest

from reconciler.engine.access.config import User, text
from reconciler.engine.access.effects import Ask, Send
from reconciler.engine.access.secret import Scrypt
from reconciler.engine.wire import ethernet, pppoe
from tests.engine.access.bench import Bench
from tests.peer import Quirks, Subscriber
from tests.peer_negotiation import ECHO, LCP, PAP, REQUEST, control

MADE = Scrypt(2, 1, 1, b"salt", hashlib.scrypt(b"test", salt=b"salt", n=2, r=1, p=1, dklen=32))
MAC = bytes.fromhex("02c100000001")


def hashed(name: str = "theo", **more: object) -> User:
    return User(name.encode(), MADE, **more)  # type: ignore[arg-type]


def pap_bench() -> Bench:
    bench = Bench("pablo")
    bench.configure(auth=["pap"])
    bench.put(hashed())
    return bench


def subscriber(name: str = "theo", password: str = "test", mac: bytes = MAC) -> Subscriber:
    return Subscriber(mac, name.encode(), password.encode(), Quirks(methods=("pap",)))


def asked(bench: Bench) -> list[Ask]:
    return [effect for effect in bench.log if isinstance(effect, Ask)]


def answer(bench: Bench, ask: Ask, good: bool | None = None, *, full: bool = False) -> None:
    """Answer a question, truly unless told otherwise; ``full``: there was no room for it."""
    verdict = None if full else ask.question.answer() if good is None else good
    bench.deliver(bench.concentrator.answered(ask.key, ask.number, verdict, bench.now))


def say(bench: Bench, theo: Subscriber, payload: bytes) -> list[bytes]:
    """The subscriber says this out of turn; what comes back to it, as PPP."""
    body = pppoe.encode(0, theo.session_id, payload)
    frame = ethernet.Frame(theo.ac_mac, theo.mac, (), pppoe.ETHERTYPE_SESSION, body)
    effects = bench.receive(ethernet.encode(frame))
    bench.log += effects
    sent = [ethernet.decode(effect.frame).payload for effect in effects if isinstance(effect, Send)]
    return [pppoe.decode(payload).payload for payload in sent]


def test_a_hashed_password_lets_its_user_in_once_it_has_been_checked() -> None:
    bench = pap_bench()
    theo = bench.dial(subscriber())
    (ask,) = asked(bench)
    assert theo.state == "auth"
    answer(bench, ask)
    assert (theo.state, text(theo.address)) == ("up", "10.214.2.101")
    assert bench.events("session_opened") == [(b"theo", "logged_in")]


def test_A5_a_wrong_password_is_refused_once_it_has_been_checked() -> None:
    bench = pap_bench()
    theo = bench.dial(subscriber(password="guess"))
    assert bench.events("login_refused") == []
    answer(bench, asked(bench)[0])
    bench.advance(10)
    assert theo.failure == "authentication"
    assert bench.events("login_refused") == [(b"theo", "wrong_password")]
    assert len(bench.concentrator) == 0


def test_a_second_login_is_not_asked_about() -> None:
    bench = pap_bench()
    theo = bench.dial(subscriber())
    answer(bench, asked(bench)[0])
    bench.to_ac(theo.hangup(bench.now, polite=False))
    assert bench.dial(theo).state == "up"
    assert len(asked(bench)) == 1


def test_A4_a_client_that_repeats_itself_is_asked_about_once_and_answered_by_its_latest() -> None:
    bench = pap_bench()
    theo = bench.dial(subscriber())
    bench.advance(10)
    assert len(asked(bench)) == 1
    assert theo.ppp.auth_id > 2, "it has repeated itself meanwhile"
    answer(bench, asked(bench)[0])
    assert theo.state == "up"
    assert len(bench.events("session_opened")) == 1


def test_A20_echoes_are_answered_meanwhile() -> None:
    bench = pap_bench()
    theo = bench.dial(subscriber())
    (reply,) = say(bench, theo, control(LCP, ECHO, 7, theo.ppp.magic))
    assert reply[:4] == b"\xc0\x21\x0a\x07"


@pytest.mark.parametrize("good", [True, False, None])
def test_A20_an_answer_after_the_client_has_hung_up_does_nothing(good: bool | None) -> None:
    bench = pap_bench()
    theo = bench.dial(subscriber())
    (ask,) = asked(bench)
    assert bench.concentrator.waits(ask.key, ask.number)
    bench.to_ac(theo.hangup(bench.now, polite=False))
    assert not bench.concentrator.waits(ask.key, ask.number)
    bench.log.clear()
    bench.deliver(bench.concentrator.answered(ask.key, ask.number, good, bench.now))
    assert list(bench.log) == []


def test_A20_an_answer_from_before_lcp_started_over_is_not_taken_for_the_new_one() -> None:
    bench = pap_bench()
    theo = bench.dial(subscriber())
    say(bench, theo, control(LCP, REQUEST, 0x55, b"\x05\x06HOST"))
    (session,) = bench.concentrator
    assert not bench.concentrator.waits(session.key, 1)
    answer(bench, asked(bench)[0])
    assert bench.events("session_opened") == []
    assert session.state == "establish"


def test_A20_a_login_given_up_by_us_is_void_too() -> None:
    bench = pap_bench()
    theo = bench.dial(subscriber())
    theo.alive = False
    bench.advance(60)
    assert len(bench.concentrator) == 0
    answer(bench, asked(bench)[0])
    assert bench.events("session_opened") == []


def test_a_question_that_finds_no_room_refuses_the_login_and_is_counted() -> None:
    bench = pap_bench()
    bench.dial(subscriber())
    answer(bench, asked(bench)[0], full=True)
    bench.advance(10)
    assert bench.events("login_refused") == [(b"theo", "busy")]
    assert "login_queue" in bench.drops()
    again = bench.dial(subscriber())
    answer(bench, asked(bench)[1])
    assert again.state == "up", "and is no failed login"


def test_A22_what_fails_slowly_is_locked_out_like_the_rest() -> None:
    bench = pap_bench()
    for attempt in range(5):
        bench.dial(subscriber(password="guess", mac=MAC[:5] + bytes([attempt])))
        answer(bench, asked(bench)[-1])
    bench.dial(subscriber(mac=MAC[:5] + b"\x77"))
    assert len(asked(bench)) == 5
    assert bench.events("login_refused")[-1] == (b"theo", "locked_out")


@pytest.mark.interpreted
def test_X4_a_bug_in_what_an_answer_means_costs_one_session_and_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = pap_bench()
    bench.dial(subscriber())
    (ask,) = asked(bench)
    monkeypatch.setattr(bench.concentrator.users, "_by_name", None)
    effects = bench.concentrator.answered(ask.key, ask.number, good=True, now=bench.now)
    assert [type(effect).__name__ for effect in effects] == ["Fault", "Send", "Event"]
    assert len(bench.concentrator) == 0


def test_a_user_disabled_meanwhile_does_not_get_in() -> None:
    bench = pap_bench()
    bench.dial(subscriber())
    bench.put(hashed(enabled=False))
    answer(bench, asked(bench)[0])
    assert bench.events("login_refused") == [(b"theo", "user_disabled")]


def test_two_slow_logins_of_one_user_keep_to_its_number_of_sessions() -> None:
    bench = pap_bench()
    first, second = (bench.dial(subscriber(mac=MAC[:5] + bytes([n]))) for n in (1, 2))
    for ask in asked(bench):
        answer(bench, ask)
    assert [client.state == "up" for client in (first, second)] == [False, True]
    assert bench.events("session_closed") == [(b"theo", "replaced")]


def test_A6_a_password_said_again_after_the_end_is_not_asked_about() -> None:
    bench = pap_bench()
    theo = bench.dial(subscriber())
    outcome = bench.concentrator.terminate([ask.key for ask in asked(bench)], "admin", bench.now)
    bench.log += outcome.effects
    say(bench, theo, control(PAP, 1, 9, b"\x04theo\x04test"))
    assert len(asked(bench)) == 1
