"""Sessions from dial to goodbye, as subscribers and the operator see them."""

from __future__ import annotations

import pytest

from reconciler.engine.access.config import packed, text
from reconciler.engine.access.discovery import Listener
from reconciler.engine.access.effects import Dropped, Send
from reconciler.engine.wire import ethernet, pppoe
from reconciler.engine.wire.drop import Drop
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


@pytest.mark.parametrize("method", ["pap", "chap", "mschap", "mschapv2"])
def test_A17_A18_every_method_logs_in_and_a_wrong_password_does_not(method: str) -> None:
    bench = Bench()
    bench.configure(auth=["mschapv2", "chap", "mschap", "pap"])
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


@pytest.mark.parametrize("method", ["pap", "chap"])
def test_A5_A14_who_may_not_log_in_meets_the_same_frames_whatever_the_reason(method: str) -> None:
    """The subscriber's end cannot tell a name that does not exist from one whose password is wrong."""
    seen = []
    for name, password in (("theo", "guess"), ("mallory", "guess"), ("pablo", "test")):
        bench = Bench()
        bench.put(user("pablo", enabled=False))
        client = bench.dial(subscriber(1, name, password, quirks=Quirks(methods=(method,))))
        bench.advance(60)
        assert len(bench.concentrator) == 0
        seen.append([effect.frame[14:] for effect in bench.log if isinstance(effect, Send)])
        assert client.state != "up"
    assert seen[0] == seen[1] == seen[2]


def test_A9_a_client_that_never_logs_in_is_let_go_and_its_place_is_free() -> None:
    bench = Bench()
    mute = subscriber(1, "theo", quirks=Quirks(methods=("pap",)))
    mute.ppp._send_login = list  # type: ignore[method-assign]
    bench.dial(mute)
    assert mute.state == "auth"
    bench.advance(60)
    assert len(bench.concentrator) == 0
    assert not [event for event in bench.log if type(event).__name__ == "OpenPath"]


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


def test_who_was_disabled_and_drains_goes_on_draining_whatever_else_changes() -> None:
    bench = Bench()
    pablo = bench.dial(subscriber(1, "pablo"))
    bench.put(user("pablo", enabled=False, drains=True))
    assert bench.put(user("pablo", "other", enabled=False)).ended == []
    assert pablo.state == "up"


def test_a_user_that_drains_still_loses_what_is_beyond_its_new_limit() -> None:
    bench = Bench()
    bench.put(user("pablo", sessions=2))
    first, second = bench.dial(subscriber(1, "pablo")), bench.dial(subscriber(2, "pablo"))
    bench.put(user("pablo", enabled=False, drains=True))
    assert (first.state, second.state) == ("closed", "up")


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


def test_a_changed_password_ends_the_sessions_of_a_user_who_renews() -> None:
    bench = Bench()
    yunhan, theo = bench.dial(subscriber(1, "yunhan")), bench.dial(subscriber(2, "theo"))
    assert bench.put(user("yunhan", renews=True)).ended == [], "it is the same password"
    assert len(bench.put(user("yunhan", "secret", renews=True)).ended) == 1
    assert (yunhan.state, theo.state) == ("closed", "up")
    assert bench.events("session_closed") == [(b"yunhan", "password_changed")]


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


@pytest.mark.interpreted
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


@pytest.mark.interpreted
def test_X4_a_bug_in_discovery_costs_one_frame_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    (padi,) = subscriber(2, "pablo").dial(bench.now)
    with monkeypatch.context() as broken:
        broken.setattr(bench.concentrator, "_discovery", None)
        (effect,) = bench.receive(padi)
    assert type(effect).__name__ == "Fault"
    assert (type(bench.receive(padi)[0]).__name__, theo.state) == ("Send", "up")


def test_packed_and_text_are_inverse() -> None:
    assert text(packed("10.214.2.100")) == "10.214.2.100"


def test_I13_a_fixed_address_that_another_still_has_is_refused_until_it_is_free() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    bench.put(user("yunhan", address="10.214.2.101"))
    yunhan = bench.dial(subscriber(2, "yunhan"))
    assert bench.events("login_refused") == [(b"yunhan", "no_address")]
    assert (theo.state, text(theo.address)) == ("up", "10.214.2.101")
    bench.to_ac(theo.hangup(bench.now))
    bench.advance(5)
    assert text(bench.dial(yunhan).address) == "10.214.2.101"
    assert text(bench.dial(theo).address) != "10.214.2.101"


def test_D33_a_padt_on_another_interface_changes_nothing() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    bench.concentrator.listen(Listener("eth1", AC_MAC, 1500), 2)
    padt = theo.hangup(bench.now, polite=False)
    (effect,) = bench.concentrator.receive("eth1", padt[0], bench.now)
    assert effect == Dropped(Drop.FOREIGN_SESSION)
    assert len(bench.concentrator) == 1


def test_D29_I13_nobody_makes_room_for_a_login_that_finds_no_address() -> None:
    bench = Bench()
    theo, pablo = bench.dial(subscriber(1, "theo")), bench.dial(subscriber(2, "pablo"))
    bench.put(user("theo", address="10.214.2.102"))
    other = bench.dial(subscriber(3, "theo"))
    assert bench.events("login_refused") == [(b"theo", "no_address")]
    assert [client.state == "up" for client in (theo, pablo, other)] == [True, True, False]
