"""Kernel settings are read and written; what cannot be is said plainly."""

from __future__ import annotations

import errno

import pytest

from reconciler.linux import links, sysctl
from reconciler.linux.errors import KernelError
from reconciler.linux.sysctl import Key, interface_key

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("namespace")]


def test_a_value_written_is_read_back() -> None:
    assert sysctl.read(sysctl.IP_FORWARD) == 0
    sysctl.write(sysctl.IP_FORWARD, 1)
    assert sysctl.read(sysctl.IP_FORWARD) == 1


def test_an_interface_with_dots_in_its_name_is_found() -> None:
    links.create_bridge("br0.100.x")
    key = interface_key("br0.100.x", "proxy_arp")
    sysctl.write(key, 1)
    assert sysctl.read(key) == 1
    assert sysctl.read(interface_key("all", "proxy_arp")) == 0
    assert sysctl.display(key) == "net/ipv4/conf/br0.100.x/proxy_arp"


def test_a_missing_interface_is_told_from_a_missing_setting() -> None:
    with pytest.raises(KernelError, match="there is no interface eth9") as refused:
        sysctl.read(interface_key("eth9", "proxy_arp"))
    assert refused.value.errno == errno.ENODEV
    with pytest.raises(KernelError, match=r"no setting net\.ipv4\.conf\.lo\.proxy_carp") as refused:
        sysctl.write(interface_key("lo", "proxy_carp"), 1)
    assert refused.value.errno == errno.ENOENT
    with pytest.raises(KernelError, match=r"no setting net\.ipv4\.no_such"):
        sysctl.read(Key("no_such"))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "sixteen-letters!"])
def test_what_cannot_be_an_interface_never_becomes_a_path(name: str) -> None:
    with pytest.raises(KernelError, match="cannot be the name of a network interface"):
        interface_key(name, "proxy_arp")


def test_a_value_that_the_kernel_refuses_is_told() -> None:
    with pytest.raises(KernelError, match=r"cannot write 99 to net\.ipv4\.ip_default_ttl|invalid") as refused:
        sysctl.write(Key("ip_default_ttl"), 99999)
    assert refused.value.errno == errno.EINVAL
