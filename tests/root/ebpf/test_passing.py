"""What the eBPF data path carries, what it lets through and what it drops, packet by packet."""

from __future__ import annotations

import errno
import socket
import struct
import time
from collections.abc import Callable

import pytest

from reconciler.engine.datapath.ebpf import pair
from reconciler.engine.datapath.ebpf.layout import MOST_MET
from reconciler.engine.datapath.ebpf.path import EbpfDataPath
from reconciler.engine.wire.drop import Drop
from reconciler.linux import interface, links, netlink, netns, veth
from reconciler.linux.packet import EVERY_ETHERTYPE, open_packet_socket
from tests.engine.datapath.ebpf.test_sessions import meeting
from tests.patience import PATIENCE
from tests.root.conftest import carries
from tests.root.ebpf.carried import SUBSCRIBER, assert_carries, heard
from tests.root.paths import ADDRESS, CLIENT, KEY, Line, datagram, frame, server
from tests.root.wire import NOT_OUR_OWN

pytestmark = pytest.mark.root


def test_what_is_no_session_packet_goes_on_untouched(line: Line, wire: socket.socket) -> None:
    """Control frames and discovery to the engine, tagged frames to their VLAN, plain IP and ARP as before."""
    line.now.open(KEY, ADDRESS, 1492)
    lcp = frame(b"\x09\x01\0\x08" + bytes(4), protocol=0xC021)
    ipcp = frame(b"\x01\x01\0\x04", protocol=0x8021)
    padi = b"\xff" * 6 + CLIENT + b"\x88\x63\x11\x09\0\0\0\x04\x01\x01\0\0"
    tagged = frame(datagram(b"in a VLAN")).replace(b"\x88\x64", b"\x81\0\0\x64\x88\x64", 1)
    plain = interface.read("eth0").mac + CLIENT + b"\x08\0" + datagram(b"plain")
    with open_packet_socket("eth0", EVERY_ETHERTYPE, (NOT_OUR_OWN,)) as here:
        here.settimeout(PATIENCE)
        sent = [lcp, ipcp, padi, tagged, plain]
        for each in sent:
            wire.send(each)
        got = [here.recv(2048) for _ in sent]
    assert got == [lcp, ipcp, padi, tagged[:12] + tagged[16:], plain], "the kernel takes the tag off"


def test_access_only_keeps_everything_but_pppoe_off_the_interface(line: Line, wire: socket.socket) -> None:
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    line.now.restrict(access_only=True)
    ours = interface.read("eth0").mac
    arp = b"\xff" * 6 + CLIENT + b"\x08\x06" + bytes(46)
    plain = ours + CLIENT + b"\x08\0" + datagram(b"not logged in", bytes([10, 214, 2, 150]))
    ipv6 = ours + CLIENT + b"\x86\xdd" + b"\x60" + bytes(60)
    tagged = ours + CLIENT + b"\x81\0\xe0\0" + b"\x08\0" + datagram(b"no VLAN, but a priority")
    lcp = frame(b"\x09\x01\0\x08" + bytes(4), protocol=0xC021)
    with open_packet_socket("eth0", EVERY_ETHERTYPE, (NOT_OUR_OWN,)) as here:
        here.settimeout(PATIENCE)
        for each in (arp, plain, ipv6, tagged, lcp):
            wire.send(each)
        assert here.recv(2048) == lcp
    assert line.now.drops()[Drop.NOT_PPPOE] == 4
    assert_carries(line, wire)
    line.succeed().restrict(access_only=False)
    with open_packet_socket("eth0", EVERY_ETHERTYPE, (NOT_OUR_OWN,)) as here:
        here.settimeout(PATIENCE)
        wire.send(arp)
        assert here.recv(2048) == arp, "and lets it in again"


def test_drops_are_counted_by_reason(line: Line, wire: socket.socket) -> None:
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    good = datagram(b"good")
    wire.send(frame(good)[:-1])
    wire.send(frame(good, protocol=0x0057))
    wire.send(frame(datagram(b"spoofed", bytes([10, 214, 2, 102]))))
    wire.send(frame(good, session_id=8))
    with server() as here:
        here.sendto(b"to nobody", ("10.214.2.102", 4001))
        wire.send(frame(good))
        assert here.recv(64) == b"good", "everything before it has been seen to"
    assert line.now.drops() == {
        Drop.TRUNCATED_DATA: 1,
        Drop.DATA_PROTOCOL: 1,
        Drop.SPOOFED: 1,
        Drop.STRAY: 1,
        Drop.NO_SESSION: 1,
    }


def error_of(do: Callable[[], object]) -> int:
    """The number of the error that it ends with; 0 for none."""
    try:
        do()
    except OSError as error:
        return error.errno or -1
    return 0


def test_a_packet_of_several_segments_never_becomes_a_frame(line: Line, wire: socket.socket) -> None:
    """A sender that has the device cut its datagrams (UDP_SEGMENT) gets as many frames, each of its own."""
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    with server() as here:
        here.setsockopt(socket.IPPROTO_UDP, 103, 1000)
        refused = error_of(lambda: here.sendto(bytes(4500), SUBSCRIBER))
        if refused:
            assert refused == errno.EIO, "as older kernels do where a device fills in no checksums"
            return
        lengths = [struct.unpack("!H", heard(wire)[18:20])[0] for _ in range(5)]
    assert lengths == [*[2 + 28 + 1000] * 4, 2 + 28 + 500]
    assert line.now.drops() == {}


def test_packets_of_no_session_are_told_of_a_few_times(line: Line, wire: socket.socket) -> None:
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    stray = frame(datagram(b"whose?"), session_id=0x0BAD)
    began = time.monotonic()
    for _ in range(200):  # fewer than a veth holds
        wire.send(stray)
    with server() as here:
        wire.send(frame(datagram(b"mine")))
        assert here.recv(64) == b"mine", "everything before it has been seen to"
    at_most = (time.monotonic() - began) / 0.005 + 1
    told: list[tuple[str, bytes]] = []
    while some := line.now.poll():
        told += some
    assert set(told) == {("eth0", stray)}
    assert 1 <= len(told) <= at_most, "at most 200 a second"
    assert line.now.drops()[Drop.STRAY] == 200


def test_addresses_that_meet_in_one_place_are_told_apart_and_one_too_many_is_said_so(
    line: Line, wire: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    line.lead()
    assert line.now.device is not None
    netlink.add_route("10.0.0.0/8", line.now.device, line.now.via)
    addresses = meeting(MOST_MET + 1)
    keys = [KEY._replace(id=number) for number in range(1, MOST_MET + 2)]
    for key, address in zip(keys, addresses, strict=True):
        line.now.open(key, address, 1492)
    assert f"no room for the packets of one more session ({keys[-1].id:#06x} on eth0)" in caplog.text
    line.now.close(keys[3])
    with server() as here:
        for address in addresses:
            here.sendto(b"whose?", (socket.inet_ntoa(address), 4001))
        reached = [struct.unpack("!H", heard(wire)[16:18])[0] for _ in range(MOST_MET - 1)]
    assert sorted(reached) == [key.id for key in keys[:-1] if key != keys[3]]
    deadline = time.monotonic() + PATIENCE
    while line.now.drops() != {Drop.NO_SESSION: 2}:  # those to nobody may be seen to a moment later
        assert time.monotonic() < deadline, line.now.drops()
    line.now.open(keys[-1], addresses[-1], 1492)
    assert keys[-1] in line.now.counters(), "a closed session makes room"


def test_I12_an_id_is_good_on_its_own_interface_alone(
    line: Line, wire: socket.socket, neighbour: str
) -> None:
    """The same station, at another cable, has no session there."""
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    links.create_veth("eth1", "eth1", neighbour)
    links.bring("eth1", up=True)
    with netns.inside(neighbour):
        links.bring("eth1", up=True)
        carries("eth1")
        other = open_packet_socket("eth1", EVERY_ETHERTYPE, (NOT_OUR_OWN,))
    carries("eth1")
    eth1 = interface.read("eth1")
    line.now.attach(eth1.name, eth1.ifindex, eth1.mac)
    stray = eth1.mac + frame(datagram(b"from elsewhere"))[6:]
    with other, server() as here, open_packet_socket("eth1", EVERY_ETHERTYPE, (NOT_OUR_OWN,)) as passed:
        passed.settimeout(PATIENCE)
        other.send(stray)
        assert heard(passed) == stray
        wire.send(frame(datagram(b"from its own")))
        assert here.recv(64) == b"from its own"
    assert line.now.counters()[KEY].rx_packets == 1
    assert line.now.drops() == {Drop.STRAY: 1}


def test_a_session_of_smaller_packets_has_a_route_that_says_so(line: Line) -> None:
    assert isinstance(line.now, EbpfDataPath)
    rtnl, index = line.now._rtnl, line.now._pair.index
    line.now.open(KEY, ADDRESS, 1400)
    assert veth.routed(rtnl, index, pair.PROTOCOL) == {ADDRESS: 1400}
    line.now.open(KEY, ADDRESS, 1492)
    assert veth.routed(rtnl, index, pair.PROTOCOL) == {}
    line.now.open(KEY._replace(id=8), bytes([10, 214, 2, 102]), 1500)
    assert veth.routed(rtnl, index, pair.PROTOCOL) == {ADDRESS: 1492}, "the device takes more now"
    line.now.close(KEY)
    assert veth.routed(rtnl, index, pair.PROTOCOL) == {}


def test_RFC4638_what_subscribers_may_send_is_taken_though_no_session_takes_as_much(
    line: Line, wire: socket.socket, neighbour: str
) -> None:
    interface.set_mtu("eth0", 1508)
    with netns.inside(neighbour):
        interface.set_mtu("eth0", 1508)
    line.lead()
    line.now.accept(1500)
    line.now.open(KEY, ADDRESS, 1400)
    large = bytes(1500 - 28)
    with server() as here:
        wire.send(frame(datagram(large)))
        assert here.recv(2048) == large
