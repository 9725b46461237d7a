"""The eBPF data path and its device: what an engine leaves, the next one takes over, or makes anew."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from pyroute2 import IPRoute

from reconciler.engine.datapath.ebpf import pair, pins
from reconciler.engine.datapath.ebpf.path import EbpfDataPath
from reconciler.linux import interface, links, netns, offload, veth
from tests.patience import PATIENCE
from tests.root.ebpf.carried import assert_carries, pinned
from tests.root.paths import ADDRESS, KEY, Line

pytestmark = pytest.mark.root


def xdp_on(name: str) -> bool:
    with IPRoute() as ip:
        (found,) = ip.get_links(ifname=name)
        said = found.get_attr("IFLA_XDP")
        return bool(said and said.get_attr("IFLA_XDP_ATTACHED"))


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


def test_offloads_that_somebody_turns_on_are_turned_off_again(line: Line, wire: socket.socket) -> None:
    """With them a packet of TCP would come to the program uncut, and none would arrive."""
    line.now.open(KEY, ADDRESS, 1492)
    assert line.now.device is not None
    before = offload.active(line.now.device)
    offload.switch(line.now.device, lambda feature: True if feature.startswith("tx-") else None)
    assert "tx-tcp-segmentation" in offload.active(line.now.device)
    assert line.now.poll() == []
    assert offload.active(line.now.device) == before
    line.lead()
    assert_carries(line, wire)


def test_a_device_that_took_single_segments_takes_many_at_once_from_the_next_engine(line: Line) -> None:
    """TCP of the box itself is several times slower without. Engines have made such devices."""
    assert line.now.device is not None
    with IPRoute() as ip:
        (near,) = ip.link_lookup(ifname=line.now.device)
        ip.link("set", index=near, gso_max_segs=1)
        line.succeed()
        (found,) = ip.get_links(near)
    assert found.get_attr("IFLA_IFNAME") == line.now.device, "it was taken over"
    assert found.get_attr("IFLA_GSO_MAX_SEGS") == 65535


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
