"""Which frames a trace shows: by station, by session, by the user whose login went by."""

from __future__ import annotations

from random import Random

import pytest

from reconciler.linux.capture import Captured
from reconciler.probe.codec import BROADCAST, Code, Configure, Control, Discovery, Protocol, write
from reconciler.probe.selection import HELD, Selection

AC, THEO, PABLO = (bytes.fromhex(f"0200000000{end}") for end in ("aa", "01", "02"))


def seen(message: Discovery | Control) -> Captured:
    return Captured("eth0", 0, write(message))


def padi(mac: bytes) -> Captured:
    return seen(Discovery(BROADCAST, mac, Code.PADI))


def pado(mac: bytes) -> Captured:
    return seen(Discovery(mac, AC, Code.PADO))


def lcp(mac: bytes, session: int = 7) -> Captured:
    return seen(Control(AC, mac, session, Protocol.LCP, Configure.REQUEST, 1))


def pap(mac: bytes, name: bytes, session: int = 7) -> Captured:
    data = bytes([len(name)]) + name + b"\x04test"
    return seen(Control(AC, mac, session, Protocol.PAP, 1, 1, data))


def chap(mac: bytes, name: bytes, value: bytes = bytes(16)) -> Captured:
    return seen(Control(AC, mac, 7, Protocol.CHAP, 2, 1, bytes([len(value)]) + value + name))


def data(mac: bytes, session: int = 7) -> Captured:
    frame = AC + mac + b"\x88\x64\x11\x00" + session.to_bytes(2, "big") + b"\x00\x16\x00\x21" + bytes(20)
    return Captured("eth0", 0, frame)


def passed(selection: Selection, *frames: Captured) -> list[Captured]:
    return [wanted for frame in frames for wanted in selection.take(frame)]


def test_without_a_wish_everything_is_shown() -> None:
    frames = [padi(THEO), pado(THEO), lcp(PABLO), data(THEO)]
    assert passed(Selection(), *frames) == frames


def test_a_station_is_seen_in_both_directions_with_its_broadcasts_and_its_data() -> None:
    theirs = [padi(THEO), pado(THEO), lcp(THEO), data(THEO)]
    others = [padi(PABLO), pado(PABLO), lcp(PABLO), data(PABLO)]
    selection = Selection(macs=[THEO.hex(":")])
    assert passed(selection, *theirs, *others) == theirs


def test_a_session_is_seen_by_its_id_and_discovery_without_one_is_not() -> None:
    selection = Selection(sessions=[7])
    frames = [padi(THEO), lcp(THEO, 7), lcp(PABLO, 8), data(THEO, 7), data(PABLO, 8)]
    assert passed(selection, *frames) == [frames[1], frames[3]]


def test_a_user_is_recognised_at_the_login_and_what_went_before_is_brought_back() -> None:
    for login in (pap(THEO, b"theo"), chap(THEO, b"theo"), chap(THEO, b"theo", bytes(49))):
        selection = Selection(users=["theo"])
        before = [padi(THEO), pado(THEO), lcp(THEO)]
        others = [padi(PABLO), lcp(PABLO), pap(PABLO, b"pablo"), data(PABLO)]
        assert passed(selection, *before, *others) == []
        after = [lcp(THEO), data(THEO)]
        assert passed(selection, login, *after) == [*before, login, *after]


def test_what_was_brought_back_is_not_shown_again_at_the_next_login() -> None:
    selection = Selection(users=["theo"])
    assert len(passed(selection, padi(THEO), pap(THEO, b"theo"))) == 2
    again = [padi(THEO), pap(THEO, b"theo")]
    assert passed(selection, *again) == again


def test_a_station_that_logs_in_as_somebody_else_is_no_longer_the_users() -> None:
    selection = Selection(users=["theo"])
    passed(selection, pap(THEO, b"theo"))
    assert passed(selection, pap(THEO, b"pablo"), lcp(THEO)) == []


def test_a_station_that_was_asked_for_stays_whoever_logs_in_there() -> None:
    selection = Selection(macs=[THEO.hex(":")], users=["pablo"])
    frames = [pap(THEO, b"theo"), lcp(THEO)]
    assert passed(selection, *frames) == frames


def test_what_is_held_back_is_bounded_and_data_is_not_held() -> None:
    selection = Selection(users=["theo"])
    assert passed(selection, padi(THEO), data(THEO)) == []
    passed(selection, *[padi(PABLO)] * HELD)
    login = pap(THEO, b"theo")
    assert passed(selection, login) == [login]


@pytest.mark.parametrize("seed", range(4))
def test_X4_no_frame_raises(seed: int) -> None:
    chance, selection = Random(seed), Selection(users=["theo"], sessions=[9])
    for _ in range(500):
        frame = bytearray(chance.choice([padi(THEO), lcp(THEO), pap(THEO, b"theo")]).frame)
        for _ in range(chance.randrange(6)):
            frame[chance.randrange(12, len(frame))] = chance.randrange(256)
        selection.take(Captured("eth0", 0, bytes(frame[: chance.randrange(len(frame) + 1)])))


def test_a_login_that_is_cut_short_is_nobodys() -> None:
    empty = seen(Control(AC, THEO, 7, Protocol.PAP, 1, 1))
    assert passed(Selection(users=["theo"]), empty) == []
