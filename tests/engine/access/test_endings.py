"""How sessions end, and what is said afterwards: hang-ups, revocations, lost clients, stray frames."""

from __future__ import annotations

import pytest

from reconciler.engine.access import memo
from reconciler.engine.access.config import packed, text
from reconciler.engine.access.discovery import Listener
from reconciler.engine.access.effects import Effect, Send
from reconciler.engine.wire import ethernet, pppoe
from tests.engine.access.bench import AC_MAC, Bench
from tests.engine.access.test_concentrator import subscriber, three
from tests.peer import Quirks


def codes(effects: list[object], mac: bytes) -> list[tuple[int, bytes]]:
    """What was sent to one station: PPPoE code, and for session frames the PPP protocol and code."""
    found = []
    for effect in effects:
        if isinstance(effect, Send) and effect.frame[:6] == mac:
            packet = pppoe.decode(ethernet.decode(effect.frame).payload)
            found.append((packet.code, packet.payload[:3]))
    return found


def session_frame(mac: bytes, session_id: int, payload: bytes = b"\xc0\x21\x09\x01\0\x08\0\0\0\0") -> bytes:
    body = pppoe.encode(0, session_id, payload)
    return ethernet.encode(ethernet.Frame(AC_MAC, mac, (), pppoe.ETHERTYPE_SESSION, body))


def test_D32_after_the_clients_padt_nothing_more_is_sent() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    bench.to_ac(theo.hangup(bench.now, polite=False))
    sent_before = len([effect for effect in bench.log if isinstance(effect, Send)])
    bench.advance(60)
    assert len([effect for effect in bench.log if isinstance(effect, Send)]) == sent_before
    assert (len(bench.concentrator), bench.paths) == (0, {})
    assert bench.events("session_closed") == [(b"theo", "padt_received")]


def test_a_polite_hangup_frees_the_session_and_the_address_waits_for_its_owner() -> None:
    bench = Bench()
    theo, _, _ = three(bench)
    bench.to_ac(theo.hangup(bench.now))
    bench.advance(10)
    assert (len(bench.concentrator), len(bench.paths)) == (2, 2)
    assert text(bench.dial(theo).address) == "10.214.2.101"


def test_D35_revoking_a_user_ends_that_session_politely_and_touches_no_other() -> None:
    bench = Bench()
    theo, pablo, yunhan = three(bench)
    before = [(s.key, s.started, s.address) for s in bench.concentrator if s.key.mac != pablo.mac]
    bench.log.clear()
    outcome = bench.remove("pablo")
    assert [key.mac for key in outcome.ended] == [pablo.mac]
    assert codes(list(bench.log), pablo.mac) == [(0x00, b"\xc0\x21\x05"), (0xA7, b"")], "TermReq, then PADT"
    assert not codes(list(bench.log), theo.mac) + codes(list(bench.log), yunhan.mac)
    assert [(s.key, s.started, s.address) for s in bench.concentrator] == before
    bench.advance(1.0)
    assert bench.events("session_closed") == [(b"pablo", "user_removed")]
    bench.dial(pablo)
    assert pablo.state != "up"
    assert bench.events("login_refused") == [(b"pablo", "unknown_user")]


def test_a_revoked_user_who_does_not_answer_is_gone_all_the_same() -> None:
    bench = Bench()
    pablo = bench.dial(subscriber(1, "pablo"))
    pablo.alive = False
    bench.remove("pablo")
    assert bench.paths == {}, "its packets stop at once"
    bench.advance(10)
    assert codes(list(bench.log), pablo.mac)[-1] == (0xA7, b"")
    assert len(bench.concentrator) == 0


def test_L36_a_subscriber_that_vanished_is_noticed_and_freed() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    bench.advance(600)
    assert theo.state == "up", "echoes keep a live one up"
    theo.alive = False
    bench.advance(300)
    assert len(bench.concentrator) == 0
    assert bench.events("session_closed") == [(b"theo", "echo_timeout")]


def test_an_interface_that_goes_takes_its_sessions_along() -> None:
    bench = Bench()
    three(bench)
    bench.deliver(bench.concentrator.lose("eth0", "interface_lost", bench.now).effects)
    assert (len(bench.concentrator), bench.paths) == (0, {})


def test_draining_ends_everybody_politely() -> None:
    bench = Bench()
    clients = three(bench)
    bench.deliver(bench.concentrator.stop(bench.now).effects)
    assert (len(bench.concentrator), bench.paths) == (0, {})
    assert [client.state == "up" for client in clients] == [False] * 3


def test_D37_frames_for_a_session_from_another_station_are_counted_and_nothing_else() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    bench.log.clear()
    (session,) = bench.concentrator
    stolen = ethernet.Frame(
        session.listener.mac,
        b"\x02thief",
        (),
        pppoe.ETHERTYPE_SESSION,
        pppoe.encode(0, session.key.id, b"\xc0\x21\x05\x01\0\4"),
    )
    bench.to_ac([ethernet.encode(stolen)])
    assert bench.drops() == ["foreign_session"]
    assert theo.state == "up"


def test_L23_I9_starting_over_takes_the_packets_away_until_the_next_login_gives_the_same_address() -> None:
    bench = Bench()
    theo, pablo, _ = three(bench)
    address, key = theo.address, next(key for key in bench.paths if key.mac == theo.mac)
    bench.log.clear()
    bench.to_ac([session_frame(theo.mac, key.id, b"\xc0\x21\x01\x01\0\x0a\x05\x06HOST")])
    assert [type(effect).__name__ for effect in bench.log][:3] == ["ClosePath", "Send", "Send"]
    bench.advance(5)
    assert (theo.state, theo.address) == ("up", address)
    assert bench.paths[key] == address, "the same session, logged in anew"
    assert [name for name, _ in bench.events("session_opened")] == [b"theo"]
    assert pablo.state == "up"


def test_I9_when_ipcp_is_closed_packets_stop_and_the_link_stays() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    (session,) = bench.concentrator
    bench.receive(session_frame(theo.mac, session.key.id, b"\x80\x21\x05\x03\0\x04"))
    assert (session.path_open, session.state, session.logged_in) == (False, "network", True)
    bench.advance(4)
    again = b"\x80\x21\x01\x04\0\x0a\3\6" + packed("10.214.2.101")
    bench.to_ac([session_frame(theo.mac, session.key.id, again)])
    bench.advance(5)
    assert (session.path_open, session.state) == (True, "opened")


def test_L24_L25_who_hangs_up_by_terminate_request_alone_gets_a_padt_and_leaves_nothing() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    theo.alive = False
    hangup = session_frame(theo.mac, theo.session_id, b"\xc0\x21\x05\x09\0\x10User request")
    bench.log.clear()
    bench.to_ac([hangup])
    assert codes(list(bench.log), theo.mac) == [(0x00, b"\xc0\x21\x06")]
    assert bench.paths == {}, "its packets stop at once"
    bench.advance(2.9)
    assert len(codes(list(bench.log), theo.mac)) == 1
    bench.advance(0.2)
    assert codes(list(bench.log), theo.mac)[1:] == [(0xA7, b"")]
    assert len(bench.concentrator) == 0
    assert bench.concentrator.deadline() is None or not bench.concentrator.tick(bench.now + 3600)


def test_D36_a_client_whose_session_nobody_knows_is_told_to_dial_again() -> None:
    bench = Bench()
    told = bench.receive(session_frame(b"\x02\xc1\0\0\0\7", 4711))
    assert codes(list(told), b"\x02\xc1\0\0\0\7") == [(0xA7, b"")]
    flood = [bench.receive(session_frame(b"\x02\xc1\0\0\0\7", n)) for n in range(1, 5000)]
    assert sum(len(effects) > 1 for effects in flood) < 250, "but not as fast as it can send"
    assert len(bench.concentrator) == 0


def test_D24_D36_of_two_recalled_sessions_of_one_id_the_second_is_told_to_dial_again() -> None:
    """As an engine may have left them that gave out ids for each interface by itself."""
    before, after = Bench(), Bench()
    for n, name in enumerate(("theo", "pablo"), 1):
        before.dial(subscriber(n, name))
    first, second = (memo.of(session) for session in before.concentrator)
    assert first is not None
    assert second is not None
    after.concentrator.listen(Listener("eth1", AC_MAC, 1500), 1)
    recalled = memo.read(second | {"interface": "eth1", "id": first["id"]})
    settled = after.concentrator.config
    assert after.concentrator.resume(memo.read(first), settled, after.now)
    assert after.concentrator.resume(recalled, settled, after.now) is None
    told = after.receive(session_frame(recalled.key.mac, recalled.key.id), "eth1")
    assert codes(list(told), recalled.key.mac) == [(0xA7, b"")]
    assert [session.key.interface for session in after.concentrator] == ["eth0"]


PADT_TAGS = b"\x01\x03\0\x02\0\x2a" + b"\x02\x03\0\x05pppd " + b"\x01\x04\0\xffgarbage"


@pytest.mark.parametrize("tags", [b"", PADT_TAGS, b"\0", b"\xff" * 1400], ids=["none", "odd", "cut", "large"])
def test_D32_D36_after_a_padt_its_session_is_met_with_silence_whatever_still_arrives(tags: bytes) -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    padt = ethernet.Frame(AC_MAC, theo.mac, (), 0x8863, pppoe.encode(0xA7, theo.session_id, tags))
    assert not [e for e in bench.receive(ethernet.encode(padt)) if isinstance(e, Send)]
    assert len(bench.concentrator) == 0
    late = [
        session_frame(theo.mac, theo.session_id, payload)
        for payload in (
            b"\xc0\x21\x09\x01\0\x08\0\0\0\0",
            b"\xc0\x21\x05\x01\0\x04",
            b"\xc0\x21\x01\x01\0\x04",
            b"\x80\x21\x01\x01\0\x04",
            b"\x80\xfd\x01\x01\0\x04",
        )
    ]
    for _ in range(50):
        bench.advance(0.1)
        for data in (*late, ethernet.encode(padt)):
            assert [type(effect).__name__ for effect in bench.receive(data)] == ["Dropped"]
    assert bench.concentrator.deadline() is None or not bench.concentrator.tick(bench.now + 3600)


def test_D36_a_client_that_missed_our_padt_is_told_again_when_it_goes_on() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    (session,) = bench.concentrator
    theo.alive = False
    bench.remove("theo")
    bench.advance(20)
    assert len(bench.concentrator) == 0
    told = bench.receive(session_frame(theo.mac, session.key.id))
    assert codes(list(told), theo.mac) == [(0xA7, b"")]


def test_a_dial_that_ends_before_the_login_is_told_with_its_reason_and_a_refused_login_but_once() -> None:
    bench = Bench()
    bench.configure(auth=["pap"])
    bench.dial(subscriber(1, "theo", quirks=Quirks(methods=("chap",))))
    bench.dial(subscriber(2, "theo", "guess"))
    bench.advance(60)
    assert bench.events("dial_failed") == [(None, "auth_refused")]
    assert bench.events("login_refused") == [(b"theo", "wrong_password")]
    assert bench.events("session_closed") == []


def padt(session_id: int, mac: bytes) -> bytes:
    return ethernet.encode(ethernet.Frame(AC_MAC, mac, (), 0x8863, pppoe.encode(0xA7, session_id, b"")))


def test_A14_a_refused_login_is_told_but_once_though_the_client_hangs_up_before_it_is_let_go() -> None:
    bench, guess = Bench(), subscriber(1, "theo", "guess")
    waiting = guess.dial(bench.now)
    while waiting:
        effects = bench.receive(waiting.pop(0))
        bench.log += effects
        heard = [frame for frame in sends(effects) if frame[20:23] != b"\xc0\x21\x05"]
        waiting += [answer for frame in heard for answer in guess.receive(frame, bench.now)]
    bench.to_ac([padt(guess.session_id, guess.mac)])
    assert len(bench.concentrator) == 0
    assert bench.events("login_refused") == [(b"theo", "wrong_password")]
    assert bench.events("dial_failed") == []


def test_L36_a_client_that_only_hangs_up_when_it_is_given_up_was_lost_all_the_same() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    theo.alive = False
    (session,) = bench.concentrator
    while session.state != "terminate":
        bench.advance(1.0)
    bench.to_ac([padt(session.key.id, theo.mac)])
    assert bench.events("session_closed") == [(b"theo", "echo_timeout")]


def sends(effects: list[Effect]) -> list[bytes]:
    return [effect.frame for effect in effects if isinstance(effect, Send)]


def test_L18_a_line_that_returns_every_frame_is_found_out_within_a_few() -> None:
    bench, theo = Bench(), subscriber(1, "theo")
    (pado,) = sends(bench.receive(theo.dial(bench.now)[0]))
    bench.receive(theo.receive(pado, bench.now)[0])
    said = 0
    while len(bench.concentrator) and said < 100:
        bench.now += 0.1
        waiting = sends(bench.concentrator.tick(bench.now))
        while waiting:
            frame = waiting.pop(0)
            said += 1
            waiting += sends(bench.receive(AC_MAC + frame[:6] + frame[12:]))
    assert len(bench.concentrator) == 0
    assert said < 30
