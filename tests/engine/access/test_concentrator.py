"""Sessions from dial to goodbye, as subscribers and the operator see them."""

from __future__ import annotations

import pytest

from reconciler.engine.access.config import packed, text
from reconciler.engine.access.effects import Send
from reconciler.engine.wire import ethernet, pppoe
from tests.engine.access.bench import AC_MAC, Bench, user
from tests.peer import Quirks, Subscriber


def subscriber(n: int, name: str, password: str = "test", **more: object) -> Subscriber:
    mac = bytes.fromhex("02c1000000") + bytes([n])
    return Subscriber(mac, name.encode(), password.encode(), **more)  # type: ignore[arg-type]


def three(bench: Bench) -> list[Subscriber]:
    return [bench.dial(subscriber(n, name)) for n, name in enumerate(("theo", "pablo", "yunhan"), 1)]


def test_three_subscribers_get_what_they_had_in_the_lab() -> None:
    bench = Bench()
    for n, client in enumerate(three(bench), 1):
        assert (client.state, client.failure) == ("up", "")
        assert text(client.address) == f"10.214.2.{100 + n}"
        assert text(client.peer_address) == "10.214.2.100"
        assert [text(server) for server in client.dns] == ["8.8.8.8", "8.8.4.4"]
        assert client.mtu == 1492
    assert sorted(map(text, bench.paths.values())) == ["10.214.2.101", "10.214.2.102", "10.214.2.103"]
    assert [name for name, _ in bench.events("session_opened")] == [b"theo", b"pablo", b"yunhan"]


@pytest.mark.parametrize("method", ["pap", "chap"])
def test_either_method_logs_in_and_a_wrong_password_does_not(method: str) -> None:
    bench = Bench()
    assert bench.dial(subscriber(1, "theo", quirks=Quirks(methods=(method,)))).state == "up"
    wrong = bench.dial(subscriber(2, "pablo", "guess", quirks=Quirks(methods=(method,))))
    bench.advance(30)
    assert wrong.state != "up"
    assert bench.events("login_refused") == [(b"pablo", "wrong_password")]
    assert len(bench.concentrator) == 1, "the refused session is gone"


def test_A5_an_unknown_user_is_refused_like_a_wrong_password() -> None:
    bench = Bench()
    stranger = bench.dial(subscriber(1, "mallory"))
    assert stranger.state != "up"
    assert bench.events("login_refused") == [(b"mallory", "unknown_user")]


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


def codes(effects: list[object], mac: bytes) -> list[tuple[int, bytes]]:
    """What was sent to one station: PPPoE code, and for session frames the PPP protocol and code."""
    found = []
    for effect in effects:
        if isinstance(effect, Send) and effect.frame[:6] == mac:
            packet = pppoe.decode(ethernet.decode(effect.frame).payload)
            found.append((packet.code, packet.payload[:3]))
    return found


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


def test_draining_a_user_refuses_the_next_login_and_leaves_the_session() -> None:
    bench = Bench()
    pablo = bench.dial(subscriber(1, "pablo"))
    assert bench.remove("pablo", terminate=False).ended == []
    bench.advance(300)
    assert pablo.state == "up"
    assert bench.dial(subscriber(2, "pablo")).state != "up"


def test_disabling_a_user_ends_its_sessions() -> None:
    bench = Bench()
    pablo = bench.dial(subscriber(1, "pablo"))
    bench.put(user("pablo", enabled=False))
    assert pablo.state != "up"
    bench.dial(pablo)
    assert bench.events("login_refused") == [(b"pablo", "user_disabled")]


def test_disabling_a_user_that_drains_ends_no_session() -> None:
    bench = Bench()
    pablo = bench.dial(subscriber(1, "pablo"))
    assert bench.put(user("pablo", enabled=False, drains=True)).ended == []
    bench.advance(300)
    assert pablo.state == "up"
    assert bench.dial(subscriber(2, "pablo")).state != "up"


def test_a_changed_password_counts_from_the_next_login() -> None:
    bench = Bench()
    yunhan = bench.dial(subscriber(1, "yunhan"))
    bench.put(user("yunhan", "secret"))
    bench.advance(300)
    assert yunhan.state == "up"
    assert [bench.concentrator.stale(session) for session in bench.concentrator] == [True]
    bench.to_ac(yunhan.hangup(bench.now))
    assert bench.dial(subscriber(1, "yunhan", "test")).state != "up"
    assert bench.dial(subscriber(2, "yunhan", "secret")).state == "up"


def test_new_settings_are_for_new_sessions() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    bench.configure(dns_servers=["1.1.1.1"], local_ip="10.214.2.200", ac_name="NEW")
    bench.advance(300)
    pablo = bench.dial(subscriber(2, "pablo"))
    assert (theo.state, [text(server) for server in theo.dns]) == ("up", ["8.8.8.8", "8.8.4.4"])
    assert [text(server) for server in pablo.dns][:1] == ["1.1.1.1"]
    assert text(pablo.peer_address) == "10.214.2.200"
    assert pablo.ac_name == b"NEW"
    assert [bench.concentrator.stale(session) for session in bench.concentrator] == [True, False]


def test_a_moved_pool_is_for_new_leases() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    bench.configure(pools=[{"name": "default", "start": "10.214.2.201", "size": 8}])
    pablo = bench.dial(subscriber(2, "pablo"))
    assert (text(theo.address), text(pablo.address)) == ("10.214.2.101", "10.214.2.201")
    assert [bench.concentrator.stale(session) for session in bench.concentrator] == [True, False]


def test_a_fixed_address_is_given_to_its_user_alone() -> None:
    bench = Bench()
    bench.put(user("yunhan", address="10.214.2.101"))
    assert text(bench.dial(subscriber(1, "theo")).address) == "10.214.2.102"
    assert text(bench.dial(subscriber(2, "yunhan")).address) == "10.214.2.101"


def test_a_full_pool_refuses_the_login_with_a_reason() -> None:
    bench = Bench()
    bench.configure(pools=[{"name": "default", "start": "10.214.2.101", "size": 1}])
    bench.dial(subscriber(1, "theo"))
    assert bench.dial(subscriber(2, "pablo")).state != "up"
    assert bench.events("login_refused") == [(b"pablo", "no_address")]


def test_D29_a_subscriber_that_lost_its_session_gets_back_in_at_once() -> None:
    bench = Bench()
    bench.configure(second_login="refuse")
    theo = bench.dial(subscriber(1, "theo"))
    theo.alive = False
    again = bench.dial(subscriber(1, "theo", host_uniq=b"\0\x2b"))
    assert (again.state, text(again.address)) == ("up", "10.214.2.101")
    assert len(bench.concentrator) == 1
    assert bench.events("session_closed") == [(b"theo", "replaced")]


@pytest.mark.parametrize(("policy", "up"), [("replace", ["other"]), ("refuse", ["theo"])])
def test_a_second_login_from_elsewhere_follows_the_policy(policy: str, up: list[str]) -> None:
    bench = Bench()
    bench.configure(second_login=policy)
    theo, other = bench.dial(subscriber(1, "theo")), subscriber(2, "theo")
    bench.dial(other)
    assert [name for name, client in (("theo", theo), ("other", other)) if client.state == "up"] == up


def test_lowering_sessions_ends_the_oldest_surplus() -> None:
    bench = Bench()
    bench.put(user("theo", sessions=3))
    clients = [bench.dial(subscriber(n, "theo")) for n in (1, 2, 3)]
    assert [client.state for client in clients] == ["up"] * 3
    outcome = bench.put(user("theo", sessions=1))
    assert [key.mac for key in outcome.ended] == [clients[0].mac, clients[1].mac]
    assert [client.state == "up" for client in clients] == [False, False, True]


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
    bench.deliver(bench.concentrator.drain(bench.now).effects)
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


def test_a_bug_costs_one_session_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    theo, pablo, _ = three(bench)
    (broken,) = [session for session in bench.concentrator if session.key.mac == theo.mac]
    monkeypatch.setattr(broken, "link", None)
    frame = ethernet.Frame(
        broken.listener.mac,
        theo.mac,
        (),
        pppoe.ETHERTYPE_SESSION,
        pppoe.encode(0, broken.key.id, b"\xc0\x21\x09\x01\0\x08\0\0\0\0"),
    )
    effects = bench.receive(ethernet.encode(frame))
    assert [type(effect).__name__ for effect in effects] == ["Fault", "ClosePath", "Send", "Event"]
    assert len(bench.concentrator) == 2
    assert pablo.state == "up"


def test_packed_and_text_are_inverse() -> None:
    assert text(packed("10.214.2.100")) == "10.214.2.100"


def session_frame(mac: bytes, session_id: int, payload: bytes = b"\xc0\x21\x09\x01\0\x08\0\0\0\0") -> bytes:
    body = pppoe.encode(0, session_id, payload)
    return ethernet.encode(ethernet.Frame(AC_MAC, mac, (), pppoe.ETHERTYPE_SESSION, body))


def test_D36_a_client_whose_session_nobody_knows_is_told_to_dial_again() -> None:
    bench = Bench()
    told = bench.receive(session_frame(b"\x02\xc1\0\0\0\7", 4711))
    assert codes(list(told), b"\x02\xc1\0\0\0\7") == [(0xA7, b"")]
    flood = [bench.receive(session_frame(b"\x02\xc1\0\0\0\7", n)) for n in range(1, 5000)]
    assert sum(len(effects) > 1 for effects in flood) < 250, "but not as fast as it can send"
    assert len(bench.concentrator) == 0


def test_D32_D36_late_frames_of_a_session_that_has_just_ended_are_met_with_silence() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    late = session_frame(theo.mac, theo.session_id)
    bench.to_ac(theo.hangup(bench.now, polite=False))
    bench.advance(5)
    assert [type(effect).__name__ for effect in bench.receive(late)] == ["Dropped"]
