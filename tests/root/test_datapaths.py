"""What every data path does on the real kernel: packets between a session's frames and the device."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.linux import interface, links, netns
from reconciler.linux.packet import EVERY_ETHERTYPE, PPP_DATA, open_packet_socket
from tests.engine.datapath.test_segments import ACK, NOTHING, SACK, SYN, handshake, size
from tests.patience import PATIENCE
from tests.root.paths import ADDRESS, CLIENT, KEY, PEER, Line, datagram, frame, server
from tests.root.wire import NOT_OUR_OWN

pytestmark = pytest.mark.root

IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_PMTUDISC_DO = 10, 0, 2
SUBSCRIBER = ("10.214.2.101", 4001)


@pytest.fixture
def wire(neighbour: str) -> Iterator[socket.socket]:
    """The subscriber's end of the cable."""
    with netns.inside(neighbour):
        links.set_mac("eth0", CLIENT.hex(":"))
        sock = open_packet_socket("eth0", 0x8864, PPP_DATA)
    sock.settimeout(PATIENCE)
    with sock:
        yield sock


@pytest.fixture(params=["tun", "ebpf"])
def line(wire: socket.socket, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Line]:
    made = Line(tmp_path, request.param)
    yield made
    made.end()


def test_the_device_is_up_with_the_mtu_of_a_session(line: Line) -> None:
    assert line.now.device is not None
    device = interface.read(line.now.device)
    assert (device.mtu, device.up) == (1492, True)


def test_while_nothing_happens_it_wants_nothing(line: Line) -> None:
    line.lead()
    watched = line.now.fileno()
    assert watched is not None
    end = time.monotonic() + PATIENCE
    while select.select([watched], [], [], 0.3)[0]:  # our own setting up
        assert time.monotonic() < end, "the engine would turn round and round"
        line.now.poll()


def test_packets_go_both_ways_and_are_counted(line: Line, wire: socket.socket) -> None:
    line.lead()
    path = line.now
    path.open(KEY, ADDRESS, 1492)
    path.flush()
    with server() as here:
        here.sendto(b"down" * 8, SUBSCRIBER)
        down = wire.recv(2048)
        assert (down[:6], down[16:18], down[-4:]) == (CLIENT, b"\0\7", b"down")
        assert down[18:20] == struct.pack("!H", 2 + 20 + 8 + 32), "LENGTH is exact"
        wire.send(frame(datagram(b"up")).ljust(60, b"\0"))
        assert here.recv(64) == b"up"
    counted = path.counters()[KEY]
    assert (counted.rx_packets, counted.tx_packets) == (1, 1)
    assert (counted.rx_bytes, counted.tx_bytes) == (30, 60)
    assert path.traffic() == {"eth0": counted}
    path.close(KEY)
    assert (path.counters(), path.traffic()) == ({}, {"eth0": counted}), "what was carried stays so"
    assert line.succeed().traffic() == {"eth0": counted}, "the next engine finds it too"


def test_a_closed_path_carries_nothing(line: Line, wire: socket.socket) -> None:
    line.lead()
    path = line.now
    other = KEY._replace(id=8)
    path.open(KEY, ADDRESS, 1492)
    path.open(other, bytes([10, 214, 2, 102]), 1492)
    path.close(KEY)
    path.flush()
    assert set(path.counters()) == {other}
    with server() as here:
        here.sendto(b"to nobody", SUBSCRIBER)
        here.sendto(b"to another", ("10.214.2.102", 4001))
        assert b"to another" in wire.recv(2048)
        wire.send(frame(datagram(b"from nobody")))
        wire.send(frame(datagram(b"from another", bytes([10, 214, 2, 102])), session_id=8))
        assert here.recv(64) == b"from another"


def test_an_address_goes_to_the_session_that_has_it_now(line: Line, wire: socket.socket) -> None:
    line.lead()
    path, later = line.now, KEY._replace(id=9)
    path.open(KEY, ADDRESS, 1492)
    path.open(later, ADDRESS, 1492)
    path.close(KEY)
    path.flush()
    with server() as here:
        here.sendto(b"hello", SUBSCRIBER)
        assert wire.recv(2048)[16:18] == b"\0\x09"


def test_I12_X2_nothing_but_the_sessions_own_packets_goes_up(line: Line, wire: socket.socket) -> None:
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    line.now.flush()
    good = datagram(b"good")
    other = bytes([10, 214, 2, 102])
    wrong = [
        frame(datagram(b"another's address", other)),
        frame(datagram(b"another's MAC"), source=CLIENT[:5] + b"\7"),
        frame(datagram(b"another's id"), session_id=8),
        frame(datagram(b"no such protocol"), protocol=0x0057),
        frame(b"\x65" + good[1:]),
        frame(good)[:-1],
        frame(good[:2] + struct.pack("!H", len(good) + 1) + good[4:]),
        frame(good[:2] + b"\0\x13" + good[4:]),
        frame(good[:19]),
        frame(good).replace(b"\x88\x64\x11", b"\x88\x64\x12"),
        frame(good).replace(b"\x88\x64\x11\0", b"\x88\x64\x11\x09"),
        b"\x02other" + frame(datagram(b"another's frame"))[6:],
    ]
    with server() as here:
        for each in wrong:
            wire.send(each)
        wire.send(frame(datagram(b"behind it") + b"inner padding") + b"outer padding")
        assert here.recv(64) == b"behind it"
    assert line.now.counters()[KEY].rx_packets == 1


def test_D40_a_priority_tag_is_taken_off_and_a_vlan_is_another_line(line: Line, wire: socket.socket) -> None:
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    line.now.flush()
    vlan, priority = (
        frame(datagram(body)).replace(b"\x88\x64", b"\x81\0" + control + b"\x88\x64", 1)
        for body, control in ((b"vlan 5", b"\0\5"), (b"priority 7", b"\xe0\0"))
    )
    with server() as here:
        wire.send(vlan)
        wire.send(priority)
        assert here.recv(64) == b"priority 7"
    assert line.now.counters()[KEY].rx_packets == 1


def test_X1_a_packet_larger_than_the_session_takes_is_cut_or_refused(line: Line, wire: socket.socket) -> None:
    line.lead()
    line.now.open(KEY, ADDRESS, 1000)
    line.now.flush()
    with server() as here:
        here.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
        here.sendto(bytes(1400), SUBSCRIBER)
        sizes = [struct.unpack("!H", wire.recv(2048)[18:20])[0] - 2 for _ in range(2)]
        assert (max(sizes) <= 1000, sum(sizes)) == (True, 1400 + 8 + 2 * 20)
        here.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        here.connect(SUBSCRIBER)
        with pytest.raises(OSError, match="too long"):
            refused(here)


def refused(sock: socket.socket) -> None:
    """Send what cannot pass: refused at once, or by ICMP."""
    sock.send(bytes(1400))
    sock.recv(1)


LAYOUTS = {
    "alone": b"",
    "odd": NOTHING,
    "behind others": NOTHING * 2 + SACK + NOTHING * 3 + SACK,
}


@pytest.mark.parametrize("before", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("ip_options", [b"", b"\x94\x04\0\0"], ids=["", "ip options"])
def test_X1_the_segment_size_in_a_handshake_is_lowered_both_ways(
    line: Line, wire: socket.socket, before: bytes, ip_options: bytes
) -> None:
    line.lead()
    line.now.open(KEY, ADDRESS, 1400)
    line.now.flush()
    asked, small, untouched = (
        handshake(before + size(octets), flags, ip_options=ip_options)
        for octets, flags in ((1460, SYN), (1360, SYN), (1460, ACK))
    )
    assert line.now.device is not None
    with open_packet_socket(line.now.device, EVERY_ETHERTYPE, (NOT_OUR_OWN,)) as device:
        device.settimeout(PATIENCE)
        start = 14 if line.kind == "ebpf" else 0
        for each in (asked, small, untouched):
            wire.send(frame(each))
        assert [device.recv(2048)[start:] for _ in range(3)] == [small, small, untouched]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for each in (asked, small, untouched):
            raw.sendto(each[:12] + socket.inet_aton(PEER) + ADDRESS + each[20:], (SUBSCRIBER[0], 0))
        came = [wire.recv(2048) for _ in range(3)]
    header = 22 + 20 + len(ip_options)
    parts = [got[header : 20 + struct.unpack("!H", got[18:20])[0]] for got in came]
    assert parts == [each[20 + len(ip_options) :] for each in (small, small, untouched)]


def test_RFC4638_the_device_takes_what_its_largest_session_takes(
    line: Line, wire: socket.socket, neighbour: str
) -> None:
    line.lead()
    interface.set_mtu("eth0", 1508)
    with netns.inside(neighbour):
        interface.set_mtu("eth0", 1508)
    path, large = line.now, KEY._replace(id=8)
    path.open(KEY, ADDRESS, 1492)
    path.open(large, bytes([10, 214, 2, 102]), 1500)
    path.flush()
    assert path.device is not None
    assert interface.read(path.device).mtu == 1500
    with server() as here:
        here.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
        here.sendto(bytes(1472), ("10.214.2.102", 4001))
        assert wire.recv(2048)[18:20] == struct.pack("!H", 1502)
        here.sendto(bytes(1472), SUBSCRIBER)
        sizes = [struct.unpack("!H", wire.recv(2048)[18:20])[0] - 2 for _ in range(2)]
        assert max(sizes) <= 1492, "the smaller session's packets are still cut"


def test_what_an_engine_leaves_behind_goes_on_and_the_next_one_keeps_what_it_asks_for(
    line: Line, wire: socket.socket
) -> None:
    line.lead()
    device = line.now.device
    line.now.open(KEY, ADDRESS, 1400)
    line.now.open(KEY._replace(id=8), bytes([10, 214, 2, 102]), 1400)
    line.now.flush()
    with server() as here:
        here.sendto(b"before", SUBSCRIBER)
        assert wire.recv(2048)[16:18] == b"\0\7"
        line.kill()
        here.sendto(b"alone", SUBSCRIBER)
        assert wire.recv(2048)[16:18] == b"\0\7"
        wire.send(frame(datagram(b"alone too")))
        assert here.recv(64) == b"alone too"
        heir = line.now = line.make()
        heir.open(KEY, ADDRESS, 1400)
        heir.prune()
        assert list(heir.counters()) == [KEY]
        counted = heir.counters()[KEY]
        assert (counted.tx_packets, counted.rx_packets) == (2, 1), "the count goes on"
        assert heir.device == device


def test_an_interface_that_is_not_asked_for_again_is_left_alone(line: Line, wire: socket.socket) -> None:
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    line.now.flush()
    line.kill()
    path = line.now = line.make(served=False)
    path.prune()
    assert path.counters() == {}
    with server() as here:
        here.settimeout(0.2)
        wire.send(frame(datagram(b"nobody listens")))
        with pytest.raises(TimeoutError):
            here.recv(64)


def test_shutdown_leaves_no_device(line: Line) -> None:
    line.now.shutdown()
    assert {name for _, name in socket.if_nameindex()} == {"lo", "eth0"}
    line.now = line.make()
