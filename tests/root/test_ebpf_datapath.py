"""The eBPF data path's own: what it leaves and takes over, where it is attached, what it lets through."""

from __future__ import annotations

import errno
import logging
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyroute2 import IPRoute

from reconciler.engine.datapath import choose
from reconciler.engine.datapath.base import PathError
from reconciler.engine.datapath.ebpf import kernel, pair, pins
from reconciler.engine.datapath.ebpf.path import EbpfDataPath
from reconciler.engine.datapath.ebpf.sessions import Sessions
from reconciler.engine.datapath.tun import TunDataPath
from reconciler.engine.wire.drop import Drop
from reconciler.linux import bpf, bpffs, interface, links, netns, veth
from reconciler.linux.bpf import XDP_NATIVE, Attach, BpfError
from reconciler.linux.packet import EVERY_ETHERTYPE, open_packet_socket
from tests.patience import PATIENCE
from tests.root.paths import ADDRESS, CLIENT, KEY, Line, datagram, frame, server
from tests.root.wire import NOT_OUR_OWN

pytestmark = pytest.mark.root

SUBSCRIBER = ("10.214.2.101", 4001)


@pytest.fixture
def wire(neighbour: str) -> Iterator[socket.socket]:
    """The subscriber's end of the cable; everything is heard there."""
    with netns.inside(neighbour):
        links.set_mac("eth0", CLIENT.hex(":"))
        Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")  # nothing is said but by the test
        sock = open_packet_socket("eth0", EVERY_ETHERTYPE, (NOT_OUR_OWN,))
    sock.settimeout(PATIENCE)
    with sock:
        yield sock


@pytest.fixture
def line(wire: socket.socket, tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path, "ebpf")
    yield made
    made.end()


def heard(wire: socket.socket) -> bytes:
    """The next session frame."""
    while True:
        got = wire.recv(2048)
        if got[12:14] == b"\x88\x64":
            return got


def assert_carries(line: Line, wire: socket.socket, ours: bytes | None = None) -> None:
    """Packets go both ways."""
    with server() as here:
        here.sendto(b"down", SUBSCRIBER)
        assert heard(wire)[50:54] == b"down"
        up = frame(datagram(b"up"))
        wire.send((ours or up[:6]) + up[6:])
        assert here.recv(64) == b"up"


def xdp_on(name: str) -> bool:
    with IPRoute() as ip:
        (found,) = ip.get_links(ifname=name)
        said = found.get_attr("IFLA_XDP")
        return bool(said and said.get_attr("IFLA_XDP_ATTACHED"))


def pinned(line: Line) -> list[str]:
    return sorted(entry.name for entry in pins.Pins(line.directory).directory.glob("*"))


def test_shutdown_leaves_no_trace(line: Line) -> None:
    assert (xdp_on("eth0"), len(pinned(line)) >= 8) == (True, True)
    line.now.shutdown()
    assert (xdp_on("eth0"), pinned(line)) == (False, [])
    assert {name for _, name in socket.if_nameindex()} == {"lo", "eth0"}
    assert not pins.Pins(line.directory).directory.exists()
    line.now = line.make()


def test_what_a_namespace_took_with_it_is_let_go_of_by_the_next_engine(line: Line, tmp_path: Path) -> None:
    """The names in the bpffs are left when a namespace goes with all its devices."""
    other = tmp_path / "other"
    other.mkdir()
    netns.create(name := f"{tmp_path.name[:8]}-{time.monotonic_ns() % 10**6}")
    with netns.inside(name):
        gone = EbpfDataPath(other)
        gone.attach("lo", 1, bytes(6))
        gone._held.close()
    netns.remove(name)
    directory = pins.Pins(other).directory
    assert directory.exists()
    deadline = time.monotonic() + PATIENCE
    while directory.exists() and time.monotonic() < deadline:  # a namespace's end takes a moment
        line.succeed()
    assert not directory.exists()


@pytest.mark.parametrize("missing", ["device", "name", "layout"])
def test_what_is_not_whole_is_not_taken_over(
    line: Line, wire: socket.socket, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    line.now.open(KEY, ADDRESS, 1492)
    line.kill()
    assert line.now.device is not None
    match missing:
        case "device":
            links.delete(line.now.device)
        case "name":
            pins.Pins(line.directory).remove("device")
        case "layout":
            monkeypatch.setattr(pins, "LAYOUT", 99)
    line.now = line.make()
    assert line.now.counters() == {}
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    assert_carries(line, wire)
    assert len(list(pins.HOME.glob(f"{pins.Pins(line.directory)._stem}-*"))) == 1


@pytest.mark.parametrize("how", ["deleted", "renamed"])
def test_a_device_that_is_taken_away_comes_back_and_sessions_go_on(
    line: Line, wire: socket.socket, how: str
) -> None:
    line.now.open(KEY, ADDRESS, 1400)
    device = line.now.device
    assert device is not None
    if how == "deleted":
        links.delete(device)
    else:
        links.bring(device, up=False)
        with IPRoute() as ip:
            ip.link("set", index=interface.read(device).ifindex, ifname="other")
    assert line.now.poll() == []
    assert line.now.device == device
    assert {name for _, name in socket.if_nameindex()} == {"lo", "eth0", device, f"{device}-far"}
    line.lead()
    assert_carries(line, wire)


def test_a_device_that_was_down_has_its_neighbour_and_routes_again(line: Line, wire: socket.socket) -> None:
    line.now.open(KEY, ADDRESS, 1400)
    assert line.now.device is not None
    links.bring(line.now.device, up=False)
    links.bring(line.now.device, up=True)
    assert isinstance(line.now, EbpfDataPath)
    assert line.now.poll() == []
    assert veth.routed(line.now._rtnl, line.now._pair.index, pair.PROTOCOL) == {ADDRESS: 1400}
    line.lead()
    assert_carries(line, wire)


def test_a_session_that_begins_while_the_device_is_away_is_carried_when_it_is_back(
    line: Line, wire: socket.socket
) -> None:
    assert line.now.device is not None
    links.delete(line.now.device)
    line.now.open(KEY, ADDRESS, 1400)
    line.now.accept(1500)
    line.now.poll()
    line.lead()
    assert_carries(line, wire)
    assert interface.read(line.now.device).mtu == 1500


def test_another_xdp_program_on_the_interface_is_named_as_the_reason(
    neighbour: str, wire: socket.socket, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    one = Line(first, "ebpf")
    two = EbpfDataPath(second)
    here = interface.read("eth0")
    with pytest.raises(PathError, match="another XDP program is on eth0: take it off, or run with"):
        two.attach("eth0", here.ifindex, here.mac)
    two.shutdown()
    one.now.open(KEY, ADDRESS, 1492)
    one.lead()
    assert_carries(one, wire)
    one.end()


def refuse(monkeypatch: pytest.MonkeyPatch, attach: Attach, flags: int, number: int) -> None:
    """Have the kernel refuse one way to attach a program, as some devices and older kernels do."""
    really = bpf.link

    def link(program: int, ifindex: int, where: Attach, how: int = 0) -> int:
        if (where, how) == (attach, flags):
            raise BpfError(number, "refused by the test")
        return really(program, ifindex, where, how)

    monkeypatch.setattr(bpf, "link", link)


@pytest.mark.parametrize("mode", ["native", "generic"])
def test_where_the_driver_has_no_xdp_the_kernels_own_is_taken(
    wire: socket.socket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    mode: str,
) -> None:
    if mode == "generic":
        refuse(monkeypatch, Attach.XDP, XDP_NATIVE, errno.EOPNOTSUPP)
    with caplog.at_level(logging.INFO):
        line = Line(tmp_path, "ebpf")
    assert f"interface eth0: XDP, {mode}" in caplog.text
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    assert_carries(line, wire)
    line.end()


def test_a_kernel_without_links_for_tc_has_clsact(
    wire: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, Attach.TCX_INGRESS, 0, errno.EINVAL)
    line = Line(tmp_path, "ebpf")
    line.lead()
    line.now.open(KEY, ADDRESS, 1492)
    assert_carries(line, wire)
    assert pins.DOWNSTREAM not in pinned(line)
    line.succeed().open(KEY, ADDRESS, 1492)
    assert_carries(line, wire)
    line.end()


@pytest.mark.parametrize("kind", ["bridge", "macvlan"])
def test_a_virtual_interface_is_served_by_generic_xdp(
    wire: socket.socket, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    with IPRoute() as ip:
        (index,) = ip.link_lookup(ifname="eth0")
        if kind == "bridge":
            links.create_bridge("access")
            links.join("eth0", "access")
        else:
            ip.link("add", ifname="access", kind="macvlan", link=index, macvlan_mode="private")
            links.bring("access", up=True)
    assert_served_by_generic_xdp("access", wire, tmp_path, caplog)


def assert_served_by_generic_xdp(
    name: str, wire: socket.socket, directory: Path, caplog: pytest.LogCaptureFixture, tag: bytes = b""
) -> None:
    """Packets go both ways over an interface above ``eth0``; ``tag`` is on the cable."""
    with caplog.at_level(logging.INFO):
        line = Line(directory, "ebpf", name)
    line.lead()
    line.now.open(KEY._replace(interface=name), ADDRESS, 1492)
    with server() as here:
        here.sendto(b"down", SUBSCRIBER)
        while not (got := wire.recv(2048)).endswith(b"down".ljust(60 - 50, b"\0")):
            pass
        up = frame(datagram(b"up"))
        wire.send(interface.read(name).mac + up[6:12] + tag + up[12:])
        assert here.recv(64) == b"up"
    assert got[:12] == CLIENT + interface.read(name).mac
    line.end()
    assert f"interface {name}: XDP, generic" in caplog.text


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


def test_the_choice_falls_back_and_says_why(
    neighbour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> kernel.Loaded:
        raise BpfError(errno.EPERM, "cannot make the map sessions: not permitted")

    best, why = choose("auto", tmp_path)
    assert (best.name, why) == ("ebpf", "the fastest, and it works here")
    line = Line.__new__(Line)
    line.directory = tmp_path
    best.open(KEY, ADDRESS, 1492)
    assert isinstance(best, EbpfDataPath)
    best._held.close()
    monkeypatch.setattr(kernel, "load", refused)
    second, why = choose("auto", tmp_path)
    assert (second.name, why) == ("tun", "no ebpf: cannot make the map sessions: not permitted")
    assert pinned(line) == [], "nothing is left of the other"
    with pytest.raises(PathError, match="not permitted"):
        choose("ebpf", tmp_path)
    monkeypatch.undo()
    third, _ = choose("auto", tmp_path)
    assert third.name == "ebpf"
    assert second.device not in [name for _, name in socket.if_nameindex()], "its worker has ended"
    third.shutdown()
    assert isinstance(second, TunDataPath)
    second.shutdown()


def test_full_maps_are_said_so(
    line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(line.now, EbpfDataPath)
    sessions: Sessions = line.now._sessions
    monkeypatch.setattr(sessions, "_most", sessions._unused + 1)
    line.now.open(KEY, ADDRESS, 1492)
    line.now.open(KEY._replace(id=8), bytes([10, 214, 2, 102]), 1492)
    assert "no room for the packets of one more session (0x0008 on eth0)" in caplog.text
    line.now.close(KEY)
    line.now.open(KEY._replace(id=9), bytes([10, 214, 2, 103]), 1492)
    assert [key.id for key in line.now.counters()] == [9], "a closed session makes room"


def test_the_bpffs_is_ours_to_mount_and_to_leave(neighbour: str, tmp_path: Path) -> None:
    mounted_before = bpffs._is_mounted()
    one = EbpfDataPath(tmp_path)
    assert bpffs._is_mounted()
    one.shutdown()
    assert bpffs._is_mounted() == mounted_before or any("." not in p.name for p in bpffs.ROOT.iterdir())


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
