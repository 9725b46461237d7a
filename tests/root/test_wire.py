"""What the engine says and hears on a real cable, and what becomes of sessions when that changes."""

from __future__ import annotations

import signal
import socket
import struct
import time
from pathlib import Path

import pytest

from reconciler.linux import interface, links
from tests.peer import BROADCAST, HOST_UNIQ, PADI, PADO, SERVICE_NAME, Subscriber, pack_tags
from tests.peer_negotiation import ECHO, LCP, control
from tests.root.engine import Engine
from tests.root.wire import Cable

pytestmark = pytest.mark.root

THEO = bytes.fromhex("02c100000001")


def padi(unique: bytes, *, to: bytes = BROADCAST, vlan: bytes = b"") -> bytes:
    tags = pack_tags([(SERVICE_NAME, b""), (HOST_UNIQ, unique)])
    header = struct.pack("!HBBHH", 0x8863, 0x11, PADI, 0, len(tags))
    return (to + THEO + vlan + header + tags).ljust(60, b"\0")


def discovery(cable: Cable) -> list[bytes]:
    return [frame for frame in cable.heard if b"\x88\x63" in (frame[12:14], frame[16:18])]


def test_D38_short_frames_are_filled_with_zeros_and_lengths_are_exact(engine: Engine, cable: Cable) -> None:
    engine.serve("theo")
    theo = cable.dial(Subscriber(THEO))
    cable.say(theo.hangup(time.monotonic()))
    cable.until(lambda: theo.state == "closed")
    ours = [frame for frame in cable.heard if frame[12:14] in (b"\x88\x63", b"\x88\x64")]
    assert len(ours) > 5
    for frame in ours:
        end = 20 + int.from_bytes(frame[18:20], "big")
        assert len(frame) >= 60
        assert not any(frame[end:]), f"residue behind LENGTH: {frame.hex()}"


@pytest.mark.parametrize("engine", ["tun", "ebpf"], indirect=True)
def test_D38_X2_short_packets_are_filled_with_zeros_too(engine: Engine, cable: Cable) -> None:
    engine.serve("theo")
    engine.lead()
    cable.dial(Subscriber(THEO))
    cable.heard.clear()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        for body in (b"xxxxxxxxxxxxxxxxxxxxxxxx", b"y"):
            server.sendto(body, ("10.214.2.101", 4000))
    cable.until(lambda: len(cable.heard) == 2)
    short = cable.heard[1]
    assert (len(short), short[18:20]) == (60, struct.pack("!H", 2 + 20 + 8 + 1))
    assert short[20 + 31 :] == bytes(9)


def test_D40_a_port_does_not_answer_for_the_vlans_above_it(engine: Engine, cable: Cable) -> None:
    engine.serve("theo")
    tags = (b"\x81\x00\x00\x64", b"\x88\xa8\x00\x64\x81\x00\x00\x64", b"\x88\xa8\x00\x64")
    cable.say([*(padi(b"vlan", vlan=tag) for tag in tags), padi(b"none")])
    cable.until(lambda: bool(discovery(cable)))
    (answer,) = discovery(cable)
    assert (answer[15], b"none" in answer) == (PADO, True)


def test_D40_a_priority_tag_is_answered_without_one(engine: Engine, cable: Cable) -> None:
    engine.serve("theo")
    cable.say([padi(b"zero", vlan=b"\x81\x00\xe0\x00")])
    cable.until(lambda: bool(discovery(cable)))
    (answer,) = discovery(cable)
    assert (answer[12:14], answer[15], b"zero" in answer) == (b"\x88\x63", PADO, True)


def test_D9_a_padi_for_another_station_is_not_answered(engine: Engine, cable: Cable) -> None:
    engine.serve("theo")
    here = interface.read("eth0").mac
    cable.say([padi(b"other", to=b"\x02other"), padi(b"ours", to=here)])
    cable.until(lambda: bool(discovery(cable)))
    (answer,) = discovery(cable)
    assert b"ours" in answer


def test_D41_a_new_address_of_the_interface_ends_its_sessions_and_is_then_used(
    engine: Engine, cable: Cable
) -> None:
    engine.serve("theo")
    engine.ask("follow")
    theo = cable.dial(Subscriber(THEO))
    assert engine.receive()["event"]["type"] == "session_opened"
    links.set_mac("eth0", "02:ac:00:00:00:99")
    assert engine.receive()["event"]["reason"] == "interface_lost"
    assert engine.sessions() == []
    cable.until(lambda: theo.state == "closed")
    engine.ask("listen", generation=2, interface="eth0")
    cable.dial(theo)
    assert (theo.state, theo.ac_mac) == ("up", bytes.fromhex("02ac00000099"))


def test_D41_an_interface_that_is_set_down_ends_its_sessions_and_serves_again_when_it_is_up(
    engine: Engine, cable: Cable
) -> None:
    engine.serve("theo")
    engine.ask("follow")
    theo = cable.dial(Subscriber(THEO))
    assert engine.receive()["event"]["type"] == "session_opened"
    links.bring("eth0", up=False)
    assert engine.receive()["event"]["reason"] == "interface_down"
    assert engine.sessions() == []
    links.bring("eth0", up=True)
    assert cable.dial(theo).state == "up"
    assert engine.receive()["event"]["type"] == "session_opened"


def test_D36_D42_a_client_of_an_engine_that_forgot_everything_is_told_to_dial_again(
    engine: Engine, cable: Cable, tmp_path: Path
) -> None:
    engine.serve("theo")
    theo = cable.dial(Subscriber(THEO))
    engine.die(signal.SIGKILL)
    (tmp_path / "new").mkdir()
    successor = Engine(tmp_path / "new", "null")
    try:
        successor.serve("theo")
        cable.say(theo._session([control(LCP, ECHO, 9, theo.ppp.magic)]))
        cable.until(lambda: theo.state == "closed")
        assert cable.dial(theo).state == "up"
    finally:
        successor.end()
