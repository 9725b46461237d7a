"""Where the eBPF data path is attached, and how; what is said where it cannot be."""

from __future__ import annotations

import errno
import logging
import socket
from pathlib import Path
from typing import Any

import pytest
from pyroute2 import IPRoute

from reconciler.engine.datapath import choose
from reconciler.engine.datapath.base import PathError
from reconciler.engine.datapath.ebpf import kernel, pins
from reconciler.engine.datapath.ebpf.path import EbpfDataPath
from reconciler.engine.datapath.tun import TunDataPath
from reconciler.linux import bpf, bpffs, interface, links
from reconciler.linux.bpf import XDP_NATIVE, Attach, BpfError
from tests.root.ebpf.carried import assert_carries, assert_served_by_generic_xdp, pinned
from tests.root.paths import ADDRESS, KEY, Line

pytestmark = pytest.mark.root


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


def test_one_interface_too_many_is_refused(line: Line) -> None:
    assert isinstance(line.now, EbpfDataPath)
    line.now._sessions._freed.clear()
    with pytest.raises(PathError, match="no room for lo: 1 interfaces are served"):
        line.now.attach("lo", 1, bytes(6))


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


def test_the_bpffs_is_ours_to_mount_and_to_leave(neighbour: str, tmp_path: Path) -> None:
    mounted_before = bpffs._is_mounted()
    one = EbpfDataPath(tmp_path)
    assert bpffs._is_mounted()
    one.shutdown()
    assert bpffs._is_mounted() == mounted_before or any("." not in p.name for p in bpffs.ROOT.iterdir())
