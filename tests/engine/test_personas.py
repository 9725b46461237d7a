"""Every kind of client dials in, has IPv4, leaves in its own way, and dials in again."""

from __future__ import annotations

import struct

import pytest

from reconciler.engine.access.discovery import Listener
from reconciler.engine.access.session import Session
from reconciler.engine.datapath.forward import decapsulate
from tests.engine.access.bench import AC_MAC, Bench
from tests.peer import Subscriber
from tests.personas import PERSONAS, Persona

MAC = bytes.fromhex("02c100000001")


def dial(bench: Bench, client: Subscriber) -> None:
    bench.dial(client)
    if client.failure == "service_name_error":  # told what was wrong, it dials once more
        bench.dial(client)


def only(bench: Bench) -> Session:
    (session,) = bench.concentrator
    return session


def assert_ipv4(bench: Bench, client: Subscriber) -> None:
    """The client is up, and what it sends as its packets is carried as such."""
    assert (client.state, client.failure) == ("up", "")
    session = only(bench)
    assert bench.paths == {session.key: client.address}
    header = struct.pack("!BBHHHBBH", 0x45, 0, 29, 0, 0, 64, 17, 0)
    packet = header + client.address + b"\x08\x08\x08\x08" + b"\x0f\xa0\0\x35\0\x09\0\0x"
    frame = client._frame(client.ac_mac, 0x8864, 0, client.session_id, b"\0\x21" + packet)
    assert decapsulate(frame, bench.paths[session.key]) == packet


@pytest.mark.parametrize("name", PERSONAS)
def test_X4_every_persona_gets_ipv4_and_gets_it_again_when_it_dials_again(name: str) -> None:
    persona, bench = PERSONAS[name], Bench()
    client = persona.subscriber(MAC)
    dial(bench, client)
    assert_ipv4(bench, client)
    address, first = client.address, client.session_id
    assert only(bench).link.peer_mru == min(1492, persona.quirks.mru or 1500)
    bench.advance(300)
    assert client.state == "up", "and stays up"
    bench.to_ac(persona.leave(client, bench.now))
    dial(bench, client)
    assert_ipv4(bench, client)
    assert (client.address, client.session_id != first) == (address, True)
    bench.advance(60)
    assert_ipv4(bench, client)


@pytest.mark.parametrize("name", PERSONAS)
def test_a_persona_is_in_within_a_moment(name: str) -> None:
    bench = Bench()
    client = bench.plug_in(PERSONAS[name].subscriber(MAC))
    start = bench.now
    bench.to_ac(client.dial(bench.now))
    while client.state != "up" and bench.now < start + 5:
        bench.advance(0.01)
        if client.state == "failed":
            bench.to_ac(client.dial(bench.now))
    patient = name in ("slow to listen", "loses our first request")
    assert bench.now - start < (1.5 if patient else 0.2)


@pytest.mark.parametrize("uniq", [b"\x00\x2a", b"\x00\x2b"], ids=["the same", "another"])
@pytest.mark.parametrize("farewell", [True, False])
def test_D29_D32_who_dials_again_in_the_same_instant_gets_in(farewell: bool, uniq: bytes) -> None:
    bench = Bench()
    client = bench.dial(Persona().subscriber(MAC))
    goodbye = client.hangup(bench.now, polite=False) if farewell else []
    client.host_uniq = uniq
    bench.to_ac([*goodbye, *client.dial(bench.now)])
    bench.advance(2)
    assert_ipv4(bench, client)


def test_D39_a_client_with_larger_frames_gets_1500_octets_where_the_site_has_them() -> None:
    bench = Bench()
    bench.configure(mtu=1500)
    bench.concentrator.listen(Listener("eth0", AC_MAC, 1508), 2)
    for n, (mru, carried) in enumerate(((1500, 1500), (1492, 1492))):
        persona = Persona(PERSONAS["huawei vrp"].quirks, wire=PERSONAS["fritzbox"].wire)
        client = persona.subscriber(MAC[:5] + bytes([n]), (b"theo", b"pablo")[n])
        if mru == 1492:
            client = PERSONAS["fritzbox"].subscriber(MAC[:5] + bytes([n]), b"pablo")
        assert bench.dial(client).state == "up"
        (session,) = [s for s in bench.concentrator if s.key.mac == client.mac]
        assert session.link.peer_mru == carried
