"""What the engine sets up by raw rtnetlink and ethtool, on the real kernel; and errors say what failed."""

from __future__ import annotations

import errno
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from reconciler.linux import interface, links, offload, veth
from reconciler.linux.errors import KernelError
from reconciler.linux.rtnl import LINKS_CHANGED, Rtnl
from tests.patience import PATIENCE

pytestmark = pytest.mark.root

MAC = bytes.fromhex("02a100000001")
ONE, VIA = bytes([10, 1, 0, 1]), bytes([169, 254, 1, 1])
PROTOCOL = 215


@pytest.fixture
def rtnl(namespace: str) -> Iterator[Rtnl]:
    made = Rtnl()
    yield made
    made.close()


@pytest.fixture
def index(rtnl: Rtnl) -> int:
    """A pair's near end, up."""
    veth.create(rtnl, "near", MAC, "far", 1500)
    for name in ("far", "near"):
        veth.bring_up(rtnl, interface.read(name).ifindex, f"the {name} end")
    return interface.read("near").ifindex


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True).stdout


def test_a_pair_is_made_and_found_by_its_alias_and_goes_as_one(rtnl: Rtnl, index: int) -> None:
    (near,) = veth.ends(rtnl, "the near end")
    assert near == veth.End("near", index, interface.read("far").ifindex)
    assert (interface.read("near").mac, interface.read("near").up) == (MAC, True)
    assert "inet6" not in ip("addr", "show", "near"), "it says nothing by itself"
    veth.delete(rtnl, near.other)
    assert veth.ends(rtnl, "the near end") == []


def test_a_neighbour_is_there_for_ever(rtnl: Rtnl, index: int) -> None:
    for _ in range(2):
        veth.set_neighbour(rtnl, index, VIA, MAC)
    assert ip("neigh", "show", "dev", "near").split() == ["169.254.1.1", "lladdr", MAC.hex(":"), "PERMANENT"]


def test_a_route_says_how_much_its_session_takes(rtnl: Rtnl, index: int) -> None:
    for mtu in (1400, 1300):
        veth.set_route(rtnl, ONE, VIA, index, mtu, PROTOCOL)
    ip("route", "add", "10.1.0.2/32", "dev", "near")
    assert veth.routed(rtnl, index, PROTOCOL) == {ONE: 1300}
    assert "10.1.0.1 via 169.254.1.1 dev near proto 215 onlink mtu 1300" in ip("route").replace("  ", " ")
    veth.remove_route(rtnl, ONE, VIA, index, PROTOCOL)
    assert veth.routed(rtnl, index, PROTOCOL) == {}


def test_features_are_turned_off_and_on(rtnl: Rtnl, index: int) -> None:
    assert {"tx-tcp-segmentation", "tx-checksum-ip-generic"} <= offload.active("near")
    offload.switch("near", lambda name: name == "rx-gro" if name.startswith(("tx-", "rx-gro")) else None)
    left = {name for name in offload.active("near") if name.startswith("tx-")}
    assert left <= {"tx-lockless"}, "which no device can change"
    assert "rx-gro" in offload.active("near")


@pytest.mark.parametrize(
    ("number", "message", "do"),
    [
        (
            errno.EEXIST,
            "cannot make the device near: it exists already",
            lambda rtnl: veth.create(rtnl, "near", MAC, "other", 1500),
        ),
        (
            errno.ENODEV,
            "cannot remove a device: there is no such interface",
            lambda rtnl: veth.delete(rtnl, 99),
        ),
        (
            errno.ESRCH,
            "cannot remove the route to a session: there is no such route",
            lambda rtnl: veth.remove_route(rtnl, ONE, VIA, interface.read("near").ifindex, PROTOCOL),
        ),
        (
            errno.ENODEV,
            "cannot read or set the features of nothing: there is no such interface",
            lambda _: offload.active("nothing"),
        ),
    ],
)
def test_a_refusal_says_what_was_being_done(
    rtnl: Rtnl, index: int, number: int, message: str, do: Callable[[Rtnl], object]
) -> None:
    with pytest.raises(KernelError) as caught:
        do(rtnl)
    assert (caught.value.errno, str(caught.value)) == (number, message)


def test_which_interface_has_changed_is_told(rtnl: Rtnl, index: int) -> None:
    both = {index, interface.read("far").ifindex}
    seen: set[int] = set()
    with closing(Rtnl(LINKS_CHANGED)) as told:
        links.bring("far", up=False)
        end = time.monotonic() + PATIENCE
        while seen != both:  # the kernel tells of a lost carrier when it has time
            assert time.monotonic() < end, seen
            seen |= told.changed() or set()
