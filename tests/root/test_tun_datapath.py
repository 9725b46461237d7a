"""The TUN data path on the real kernel: packets between a session's frames and the device, and a worker that
dies.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.engine.access.effects import Key
from reconciler.engine.datapath.tun import TunDataPath
from reconciler.linux import interface, links, netns
from reconciler.linux.packet import PPP_DATA, open_packet_socket
from tests.engine.datapath.test_forward import packet

pytestmark = pytest.mark.root

CLIENT = bytes.fromhex("02c100000001")
ADDRESS = bytes([10, 214, 2, 101])
IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_PMTUDISC_DO = 10, 0, 2
PEER = "10.214.2.100"
KEY = Key("eth0", (), CLIENT, 7)


@pytest.fixture
def wire(neighbour: str) -> Iterator[socket.socket]:
    """The subscriber's end of the cable."""
    with netns.inside(neighbour):
        links.set_mac("eth0", CLIENT.hex(":"))
        sock = open_packet_socket("eth0", 0x8864, PPP_DATA)
    sock.settimeout(5)
    with sock:
        yield sock


@pytest.fixture
def datapath(neighbour: str, wire: socket.socket, tmp_path: Path) -> Iterator[TunDataPath]:
    path = TunDataPath(tmp_path)
    here = interface.read("eth0")
    path.attach("eth0", here.ifindex, here.mac)
    path.flush()
    yield path
    path.shutdown()


def frame(inside: bytes, source: bytes = CLIENT, session_id: int = 7) -> bytes:
    header = struct.pack("!HBBHHH", 0x8864, 0x11, 0, session_id, len(inside) + 2, 0x0021)
    return interface.read("eth0").mac + source + header + inside


def address_device(datapath: TunDataPath) -> None:
    assert datapath.device is not None
    links.assign(datapath.device, PEER, 24)


def test_the_device_is_up_with_the_mtu_of_a_session(datapath: TunDataPath) -> None:
    assert datapath.device is not None
    device = interface.read(datapath.device)
    assert (device.mtu, device.up) == (1492, True)


def test_packets_go_both_ways_and_are_counted(
    datapath: TunDataPath, wire: socket.socket, tmp_path: Path
) -> None:
    address_device(datapath)
    datapath.open(KEY, ADDRESS, 1492)
    datapath.flush()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((PEER, 4000))
        server.settimeout(5)
        server.sendto(b"down" * 8, ("10.214.2.101", 4001))
        down = wire.recv(2048)
        assert (down[:6], down[16:18], down[-4:]) == (CLIENT, b"\0\7", b"down")
        assert down[18:20] == struct.pack("!H", 2 + 20 + 8 + 32), "LENGTH is exact"
        up = packet(body=struct.pack("!HHHH", 4001, 4000, 10, 0) + b"up")
        checked = bytearray(up)
        checked[16:20] = socket.inet_aton(PEER)
        checked[10:12] = struct.pack("!H", checksum(bytes(checked[:20])))
        wire.send(frame(bytes(checked)))
        assert server.recv(64) == b"up"
    counted = datapath.counters()[KEY]
    assert (counted.rx_packets, counted.tx_packets) == (1, 1)
    assert (counted.rx_bytes, counted.tx_bytes) == (30, 60)
    assert datapath.traffic() == {"eth0": counted}
    datapath.close(KEY)
    assert (datapath.counters(), datapath.traffic()) == ({}, {"eth0": counted}), "what was carried stays so"
    heir = TunDataPath(tmp_path)
    here = interface.read("eth0")
    heir.attach("eth0", here.ifindex, here.mac)
    traffic = heir.traffic()
    heir.shutdown()
    assert traffic == {"eth0": counted}, "the next engine finds it too"


def test_a_closed_path_carries_nothing(datapath: TunDataPath) -> None:
    datapath.open(KEY, ADDRESS, 1492)
    datapath.close(KEY)
    datapath.flush()
    assert datapath.counters() == {}


def test_a_worker_that_dies_is_replaced_and_everything_goes_on(
    datapath: TunDataPath, wire: socket.socket, tmp_path: Path
) -> None:
    datapath.open(KEY, ADDRESS, 1492)
    datapath.flush()
    device, worker = datapath.device, datapath._process
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    datapath.poll()
    assert datapath.device == device, "addresses and routes are put back under the same name"
    address_device(datapath)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((PEER, 0))
        server.sendto(b"again" * 8, ("10.214.2.101", 4001))
        assert wire.recv(2048)[-5:] == b"again"


def test_shutdown_leaves_no_device(neighbour: str, tmp_path: Path) -> None:
    path = TunDataPath(tmp_path)
    device = path.device
    path.shutdown()
    assert device not in [name for _, name in socket.if_nameindex()]


def checksum(header: bytes) -> int:
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total >> 16) + (total & 0xFFFF)
    return int(~(total + (total >> 16)) & 0xFFFF)


def test_X1_a_packet_larger_than_the_session_takes_is_cut_or_refused(
    datapath: TunDataPath, wire: socket.socket
) -> None:
    address_device(datapath)
    datapath.open(KEY, ADDRESS, 1000)
    datapath.flush()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((PEER, 0))
        server.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
        server.sendto(bytes(1400), ("10.214.2.101", 4001))
        sizes = [struct.unpack("!H", wire.recv(2048)[18:20])[0] - 2 for _ in range(2)]
        assert (max(sizes) <= 1000, sum(sizes)) == (True, 1400 + 8 + 2 * 20)
        server.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        server.connect(("10.214.2.101", 4001))
        server.settimeout(5)
        server.send(bytes(1400))
        with pytest.raises(OSError, match="too long"):
            server.recv(1)


def test_RFC4638_the_device_takes_what_its_largest_session_takes(datapath: TunDataPath) -> None:
    assert datapath.device is not None
    datapath.open(KEY, ADDRESS, 1500)
    datapath.flush()
    assert interface.read(datapath.device).mtu == 1500


def test_what_an_engine_leaves_behind_goes_on_and_the_next_one_keeps_what_it_asks_for(
    datapath: TunDataPath, wire: socket.socket, tmp_path: Path
) -> None:
    address_device(datapath)
    other = Key("eth0", (), CLIENT, 8)
    datapath.open(KEY, ADDRESS, 1492)
    datapath.open(other, bytes([10, 214, 2, 102]), 1492)
    datapath.flush()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((PEER, 0))
        server.sendto(b"before", ("10.214.2.101", 4001))
        assert wire.recv(2048)[16:18] == b"\0\7"
        datapath._worker.close()  # as if the engine had been killed
        server.sendto(b"alone", ("10.214.2.101", 4001))
        assert wire.recv(2048)[16:18] == b"\0\7"
        heir = TunDataPath(tmp_path)
        here = interface.read("eth0")
        heir.attach("eth0", here.ifindex, here.mac)
        heir.open(KEY, ADDRESS, 1492)
        heir.prune()
        assert list(heir.counters()) == [KEY]
        assert heir.counters()[KEY].tx_packets == 2, "the count goes on"
        assert heir.device == datapath.device
    heir.shutdown()
