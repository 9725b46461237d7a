"""Links, addresses and routes as the kernel has them; what is ours is told from what is another's."""

from __future__ import annotations

import errno
import subprocess

import pytest

from reconciler.linux import links, netlink
from reconciler.linux.errors import KernelError
from reconciler.linux.netlink import Address, Route

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("neighbour")]


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True).stdout


def test_links_tell_name_index_mac_mtu_and_line() -> None:
    links.set_mac("eth0", "02:00:00:00:00:01")
    found = {link.name: link for link in netlink.links()}
    assert list(found) == ["lo", "eth0"]
    eth0 = found["eth0"]
    assert (eth0.mac, eth0.mtu, eth0.up, eth0.carrier) == ("02:00:00:00:00:01", 1500, True, True)
    links.bring("eth0", up=False)
    (eth0,) = (link for link in netlink.links() if link.name == "eth0")
    assert (eth0.up, eth0.carrier) == (False, False)


def test_our_address_is_marked_and_anothers_is_not() -> None:
    ip("addr", "add", "10.9.0.7/24", "dev", "eth0")
    kept = netlink.add_address("10.9.0.8", 32, "eth0")
    ipv4 = [address for address in netlink.addresses("eth0") if "." in address.address]
    assert ipv4 == [Address("10.9.0.7", 24, "eth0", False), Address("10.9.0.8", 32, "eth0", kept)]
    assert set(ipv4) < set(netlink.addresses())
    netlink.remove_address("10.9.0.8", 32, "eth0")
    assert "10.9.0.8" not in ip("addr")


def test_our_routes_alone_are_listed_and_removed() -> None:
    ip("route", "add", "10.11.0.0/24", "dev", "eth0")
    netlink.add_route("10.10.0.0/16", "eth0")
    assert netlink.routes() == netlink.routes("eth0") == [Route("10.10.0.0/16", "eth0")]
    assert netlink.routes("lo") == []
    assert f"10.10.0.0/16 dev eth0 proto {netlink.MARK} scope link" in ip("route")

    with pytest.raises(KernelError, match="no such route"):
        netlink.remove_route("10.11.0.0/24", "eth0")
    netlink.remove_route("10.10.0.0/16", "eth0")
    assert netlink.routes() == []
    assert "10.11.0.0/24 dev eth0" in ip("route")


def test_a_host_route_and_the_default_route_read_back_as_written() -> None:
    for destination in ("10.10.0.9/32", "0.0.0.0/0", "fd00:1::/64"):
        netlink.add_route(destination, "eth0")
    assert {route.destination for route in netlink.routes()} == {"10.10.0.9/32", "0.0.0.0/0", "fd00:1::/64"}


@pytest.mark.parametrize(
    ("number", "message", "attempt"),
    [
        (errno.ENODEV, "there is no interface eth9", lambda: netlink.addresses("eth9")),
        (errno.ENODEV, "there is no interface eth9", lambda: netlink.add_address("10.9.0.1", 32, "eth9")),
        (errno.ENODEV, "there is no interface eth9", lambda: netlink.add_route("10.0.0.0/8", "eth9")),
        (errno.EADDRNOTAVAIL, "no such address", lambda: netlink.remove_address("10.9.0.1", 32, "eth0")),
        (errno.ESRCH, "no such route", lambda: netlink.remove_route("10.0.0.0/8", "eth0")),
    ],
)
def test_a_refusal_is_one_plain_line(number: int, message: str, attempt: object) -> None:
    assert callable(attempt)
    with pytest.raises(KernelError, match=message) as refused:
        attempt()
    assert refused.value.errno == number
    assert str(refused.value).startswith("cannot ")
    assert "\n" not in str(refused.value)


def test_adding_what_is_there_already_is_told() -> None:
    netlink.add_address("10.9.0.8", 32, "eth0")
    netlink.add_route("10.10.0.0/16", "eth0")
    with pytest.raises(KernelError, match=r"cannot add address 10.9.0.8/32 to eth0: it exists already"):
        netlink.add_address("10.9.0.8", 32, "eth0")
    with pytest.raises(KernelError, match=r"cannot add route 10.10.0.0/16 to eth0: it exists already"):
        netlink.add_route("10.10.0.0/16", "eth0")


def test_a_route_to_a_device_that_is_down_is_told() -> None:
    links.bring("eth0", up=False)
    with pytest.raises(KernelError, match="down"):
        netlink.add_route("10.10.0.0/16", "eth0")
