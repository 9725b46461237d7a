"""An address that another host on the link uses is found, with its MAC; a free one is not."""

from __future__ import annotations

import errno

import pytest

from reconciler.linux import arp, links, netns
from reconciler.linux.errors import KernelError

pytestmark = pytest.mark.root


def test_the_other_host_with_the_address_is_named(neighbour: str) -> None:
    with netns.inside(neighbour):
        links.set_mac("eth0", "02:00:00:00:00:0b")
        links.assign("eth0", "10.9.0.2", 24)
    assert arp.holder("eth0", "10.9.0.2") == "02:00:00:00:00:0b"


@pytest.mark.usefixtures("neighbour")
def test_a_free_address_and_our_own_are_no_conflict() -> None:
    assert arp.holder("eth0", "10.9.0.3", wait=0.3) is None
    links.assign("eth0", "10.9.0.4", 24)
    assert arp.holder("eth0", "10.9.0.4", wait=0.3) is None


@pytest.mark.usefixtures("namespace")
def test_a_missing_or_a_silent_interface_is_told() -> None:
    with pytest.raises(
        KernelError, match=r"cannot probe for 10.9.0.3 on eth9: there is no such interface"
    ) as told:
        arp.holder("eth9", "10.9.0.3")
    assert told.value.errno == errno.ENODEV
    links.create_bridge("sw0")
    links.bring("sw0", up=False)
    with pytest.raises(KernelError, match="down"):
        arp.holder("sw0", "10.9.0.3")


def test_frames_that_are_no_arp_for_ipv4_claim_nothing() -> None:
    target = bytes([10, 9, 0, 2])
    assert arp.claimant(b"", target) is None
    assert arp.claimant(bytes(60), target) is None
    for cut in range(42):
        assert arp.claimant(bytes(cut), target) is None


def test_a_simultaneous_probe_is_a_conflict() -> None:
    target, other = bytes([10, 9, 0, 2]), bytes.fromhex("02000000000b")
    frame = bytes(12) + bytes.fromhex("0806 0001 0800 06 04 0001") + other + bytes(4) + bytes(6) + target
    assert arp.claimant(frame, target) == other
    assert arp.claimant(frame, bytes([10, 9, 0, 3])) is None
