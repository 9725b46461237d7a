"""Every change that the reconciler can undo wakes it; nothing else is promised."""

from __future__ import annotations

import select
import subprocess

import pytest

from reconciler.linux import links, netlink, sysctl
from reconciler.linux.monitor import Monitor
from reconciler.linux.sysctl import interface_key
from tests.patience import PATIENCE

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("neighbour")]


def hinted(monitor: Monitor) -> bool:
    return bool(select.select([monitor], [], [], PATIENCE)[0]) and monitor.drain()


def drain(monitor: Monitor) -> None:
    """Until nothing more comes: the kernel tells of a new link's carrier when it has time."""
    while select.select([monitor], [], [], 0.2)[0]:
        monitor.drain()


@pytest.mark.parametrize(
    "change",
    [
        lambda: links.bring("eth0", up=False),
        lambda: netlink.add_address("10.9.0.9", 32, "eth0"),
        lambda: netlink.add_route("10.10.0.0/16", "eth0"),
        lambda: sysctl.write(sysctl.IP_FORWARD, 1),
        lambda: sysctl.write(interface_key("eth0", "proxy_arp"), 1),
        lambda: sysctl.write(interface_key("eth0", "rp_filter"), 2),
    ],
    ids=["link", "address", "route", "ip_forward", "proxy_arp", "rp_filter"],
)
def test_a_change_is_a_hint(change: object) -> None:
    assert callable(change)
    with Monitor() as monitor:
        drain(monitor)
        change()
        assert hinted(monitor)
        drain(monitor)
        assert monitor.drain() is False


def test_an_overrun_is_a_hint_and_not_an_error() -> None:
    with Monitor() as monitor:
        flood = "\n".join(["link set lo down", "link set lo up"] * 2000)
        subprocess.run(["ip", "-batch", "-"], input=flood, text=True, check=True)
        assert hinted(monitor)
        drain(monitor)
        links.bring("eth0", up=False)
        assert hinted(monitor)
