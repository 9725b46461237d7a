"""Run in the guest, whose kernel has more kinds of devices than the machines that the tests are run on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pyroute2 import IPRoute

from reconciler.linux import links, netns
from tests.root.ebpf.carried import assert_served_by_generic_xdp
from tests.root.ebpf.conftest import wire

__all__ = ["wire"]

pytestmark = pytest.mark.root


def test_a_vlan_device_is_served_and_its_frames_are_tagged_on_the_cable(
    wire: socket.socket, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with IPRoute() as ip:
        (index,) = ip.link_lookup(ifname="eth0")
        ip.link("add", ifname="access", kind="vlan", link=index, vlan_id=100)
    links.bring("access", up=True)
    assert_served_by_generic_xdp("access", wire, tmp_path, caplog, b"\x81\0\0\x64")


def test_a_bond_is_served(
    wire: socket.socket, neighbour: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    links.bring("eth0", up=False)
    with IPRoute() as ip:
        ip.link("add", ifname="access", kind="bond", bond_mode=1)
    links.join("eth0", "access")
    links.bring("access", up=True)
    links.bring("eth0", up=True)
    with netns.inside(neighbour):
        links.bring("eth0", up=True)
    assert_served_by_generic_xdp("access", wire, tmp_path, caplog)
