"""Packets between a subscriber and the kernel: every size, and none that is not the subscriber's."""

from __future__ import annotations

import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.engine.datapath.fit import checksum
from tests.engine.datapath.test_segments import handshake, size
from tests.patience import PATIENCE
from tests.peer import Quirks, Subscriber
from tests.root.engine import SETTINGS, Engine
from tests.root.test_personas import OURS, ping
from tests.root.wire import Cable

pytestmark = pytest.mark.root

THEO = bytes.fromhex("02c100000001")


@pytest.fixture(params=["tun", "ebpf"])
def up(neighbour: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = Engine(tmp_path, request.param)
    engine.serve("theo")
    engine.lead()
    yield engine
    engine.end()


def packets(cable: Cable, protocol: int) -> list[bytes]:
    """The IPv4 packets of one protocol that have come down, as LENGTH says where they end."""
    data = [frame for frame in cable.heard if frame[12:14] == b"\x88\x64" and frame[20:22] == b"\0\x21"]
    whole = [frame[22 : 20 + int.from_bytes(frame[18:20], "big")] for frame in data]
    return [packet for packet in whole if packet[9] == protocol]


def test_X1_packets_of_every_size_up_to_the_sessions_come_back_whole(up: Engine, cable: Cable) -> None:
    theo = cable.dial(Subscriber(THEO))
    bodies = [bytes([n]) * length for n, length in enumerate((0, 1, 2, 500, 1491 - 28, 1492 - 28))]
    cable.say([ping(theo, number, body) for number, body in enumerate(bodies)])
    cable.until(lambda: len(packets(cable, socket.IPPROTO_ICMP)) == len(bodies))
    for body, answer in zip(bodies, packets(cable, socket.IPPROTO_ICMP), strict=True):
        assert len(answer) == 28 + len(body)
        assert answer[28:] == body
        assert checksum(answer[:20]) == 0


def test_X1_a_server_is_told_no_larger_segments_than_the_session_carries(up: Engine, cable: Cable) -> None:
    theo = cable.dial(Subscriber(THEO, quirks=Quirks(mru=1400)))
    with socket.create_server((SETTINGS["local_ip"], 4000)):
        opening = bytearray(handshake(size(1460)))
        opening[12:20] = theo.address + OURS
        opening[22:24] = struct.pack("!H", 4000)
        opening[10:12] = opening[36:38] = b"\0\0"
        pseudo = bytes(opening[12:20]) + struct.pack("!HH", 6, len(opening) - 20)
        opening[36:38] = struct.pack("!H", checksum(pseudo + bytes(opening[20:])))
        opening[10:12] = struct.pack("!H", checksum(bytes(opening[:20])))
        cable.say([theo._frame(theo.ac_mac, 0x8864, 0, theo.session_id, b"\0\x21" + bytes(opening))])
        cable.until(lambda: bool(packets(cable, socket.IPPROTO_TCP)))
    (answer,) = packets(cable, socket.IPPROTO_TCP)[:1]
    assert answer[40:44] == size(1360)
    assert checksum(answer[12:20] + struct.pack("!HH", 6, len(answer) - 20) + answer[20:]) == 0


def test_X2_nobody_gets_what_is_sent_to_all(up: Engine, cable: Cable) -> None:
    cable.dial(Subscriber(THEO))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        server.bind((SETTINGS["local_ip"], 0))
        for address in ("10.214.2.255", "10.214.2.102", "10.214.2.101"):
            server.sendto(address.encode(), (address, 4000))
    cable.until(lambda: bool(packets(cable, socket.IPPROTO_UDP)))
    (only,) = packets(cable, socket.IPPROTO_UDP)
    assert only[28:] == b"10.214.2.101"


def test_X2_I12_nobody_sends_in_anothers_name(up: Engine, cable: Cable) -> None:
    theo = cable.dial(Subscriber(THEO))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as listening:
        listening.settimeout(PATIENCE)
        address, theo.ppp.address = theo.address, bytes([10, 214, 2, 102])
        forged = ping(theo, 1)
        theo.ppp.address = address
        cable.say([forged, ping(theo, 2)])
        assert listening.recv(2048)[26:28] == b"\0\2", "the first to arrive is the honest one"


def test_a_sessions_end_tells_what_it_has_carried(up: Engine, cable: Cable) -> None:
    theo = cable.dial(Subscriber(THEO))
    cable.say([ping(theo, number, bytes(100 * number)) for number in range(5)])
    cable.until(lambda: len(packets(cable, socket.IPPROTO_ICMP)) == 5)
    up.ask("follow")
    up.ask("users", generation=2, put=[], remove=[{"name": "theo", "sessions": "terminate"}])
    assert up.sessions()[0]["rx_packets"] == 5, "while it says goodbye"
    cable.until(lambda: theo.state == "closed")
    told = up.receive()["event"]
    assert (told["type"], told["rx_packets"], told["tx_packets"]) == ("session_closed", 5, 5)
    assert told["rx_bytes"] == told["tx_bytes"] == 5 * 28 + 1000


@pytest.mark.parametrize("ways", [("tun", "ebpf"), ("ebpf", "tun")], ids=" to ".join)
def test_a_session_goes_on_when_another_data_path_takes_over(
    cable: Cable, tmp_path: Path, ways: tuple[str, str]
) -> None:
    before = Engine(tmp_path, ways[0])
    before.serve("theo")
    before.lead()
    theo = cable.dial(Subscriber(THEO))
    before.die(signal.SIGKILL)
    after = Engine(tmp_path, ways[1])
    after.lead()
    cable.say([ping(theo, 1)])
    cable.until(lambda: len(packets(cable, socket.IPPROTO_ICMP)) == 1)
    assert [(view["user"], view["rx_packets"]) for view in after.sessions()] == [("theo", 1)]
    after.end()
    assert {name for _, name in socket.if_nameindex()} == {"lo", "eth0"}, "nothing is left of either"
