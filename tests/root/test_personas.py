"""Every kind of client on a real cable: its pings through the real data path are answered."""

from __future__ import annotations

import struct
import time

import pytest

from reconciler.engine.datapath.fit import checksum
from tests.peer import Subscriber
from tests.personas import PERSONAS
from tests.root.engine import Engine
from tests.root.wire import Cable

pytestmark = pytest.mark.root

MAC = bytes.fromhex("02c100000001")
OURS = bytes([10, 214, 2, 100])


def ping(client: Subscriber, number: int, body: bytes = b"") -> bytes:
    echo = struct.pack("!BBHHH", 8, 0, 0, 1, number) + body
    echo = echo[:2] + struct.pack("!H", checksum(echo + bytes(len(body) % 2))) + echo[4:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(echo), 0, 0, 64, 1, 0) + client.address + OURS
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return client._frame(client.ac_mac, 0x8864, 0, client.session_id, b"\0\x21" + header + echo)


def assert_answers(cable: Cable, client: Subscriber, number: int) -> None:
    assert (client.state, client.failure) == ("up", "")
    cable.say([ping(client, number)])
    answer = OURS + client.address + b"\0\0"
    cable.until(
        lambda: any(frame[34:44] == answer and frame[48:50] == bytes([0, number]) for frame in cable.heard)
    )


@pytest.mark.parametrize("name", PERSONAS)
@pytest.mark.parametrize("engine", ["tun", "ebpf"], indirect=True)
def test_X1_X4_every_persona_pings_and_pings_again_after_dialling_again(
    engine: Engine, cable: Cable, name: str
) -> None:
    engine.serve("theo")
    engine.lead()
    client = PERSONAS[name].subscriber(MAC)
    for number in (1, 2):
        cable.dial(client)
        if client.failure == "service_name_error":
            cable.dial(client)
        assert_answers(cable, client, number)
        cable.say(PERSONAS[name].leave(client, time.monotonic()))
