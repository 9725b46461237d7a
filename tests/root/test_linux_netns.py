"""Namespaces are made, entered, left and removed, and ``ip netns`` sees the same ones."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import threading
from collections.abc import Callable

import pytest

from reconciler.linux import links, netlink, netns
from reconciler.linux.errors import KernelError
from tests.patience import PATIENCE

pytestmark = pytest.mark.root


def interfaces() -> list[str]:
    return [name for _, name in socket.if_nameindex()]


def test_a_namespace_is_listed_entered_and_removed() -> None:
    name = f"rct-{os.getpid()}-once"
    before = interfaces()
    netns.create(name)
    try:
        assert name in netns.names()
        with netns.inside(name):
            assert interfaces() == ["lo"]
        assert interfaces() == before
    finally:
        netns.remove(name)
    assert name not in netns.names()


def test_ip_netns_exec_enters_it(namespace: str) -> None:
    links.create_bridge("sw0")
    shown = subprocess.run(["ip", "-n", namespace, "-br", "link"], capture_output=True, text=True, check=True)
    assert "sw0" in shown.stdout


def test_making_it_twice_is_refused_and_leaves_the_first(namespace: str) -> None:
    with pytest.raises(KernelError, match="exists already") as refused:
        netns.create(namespace)
    assert refused.value.errno == errno.EEXIST
    assert namespace in netns.names()


def test_entering_or_removing_a_missing_one_says_so() -> None:
    with pytest.raises(KernelError, match="no network namespace rct-none"), netns.inside("rct-none"):
        pass
    with pytest.raises(KernelError, match="cannot remove the network namespace rct-none"):
        netns.remove("rct-none")


def test_a_failure_inside_still_leads_back(namespace: str) -> None:
    links.create_bridge("sw0")
    other = f"{namespace}-c"
    netns.create(other)
    try:
        with pytest.raises(ZeroDivisionError), netns.inside(other):
            raise ZeroDivisionError
        assert "sw0" in interfaces()
    finally:
        netns.remove(other)


def test_only_the_calling_thread_moves(namespace: str) -> None:
    links.create_bridge("sw0")
    other, seen = f"{namespace}-c", []
    netns.create(other)
    try:
        go, done = threading.Event(), threading.Event()

        def look() -> None:
            go.wait(PATIENCE)
            seen.append(interfaces())
            done.set()

        thread = threading.Thread(target=look)
        thread.start()
        with netns.inside(other):
            go.set()
            assert done.wait(PATIENCE)
        thread.join(10)
        assert "sw0" in seen[0]
    finally:
        netns.remove(other)


def test_a_child_started_inside_lives_there(namespace: str) -> None:
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    try:
        assert child.pid in netns.processes(namespace)
    finally:
        child.communicate(timeout=10)


def test_a_pair_joins_two_namespaces(namespace: str, neighbour: str) -> None:
    links.assign("eth0", "10.9.0.1", 24)
    links.disable_checksum_offload("eth0")
    with netns.inside(neighbour):
        links.assign("eth0", "10.9.0.2", 24)
        links.default_route(gateway="10.9.0.1")
        links.set_mac("eth0", "02:00:00:00:00:02")
    assert (
        subprocess.run(["ping", "-c1", "-W5", "10.9.0.2"], capture_output=True, check=False).returncode == 0
    )
    assert [link.carrier for link in netlink.links() if link.name == "eth0"] == [True]


def test_a_point_to_point_device_has_a_peer_and_takes_everything(namespace: str, neighbour: str) -> None:
    links.assign("eth0", "10.9.0.1", 32, peer="10.9.0.2")
    links.default_route(device="eth0")
    shown = subprocess.run(["ip", "addr", "show", "eth0"], capture_output=True, text=True, check=True).stdout
    assert "inet 10.9.0.1 peer 10.9.0.2/32" in shown
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert "default dev eth0" in routes


def test_a_port_joins_a_bridge_and_goes_with_its_pair(namespace: str, neighbour: str) -> None:
    links.create_bridge("sw0")
    links.join("eth0", "sw0")
    links.delete("eth0")
    with netns.inside(neighbour):
        assert interfaces() == ["lo"]
    attempts: list[Callable[[], None]] = [
        lambda: links.delete("eth0"),
        lambda: links.bring("eth0", up=True),
        lambda: links.join("eth0", "sw0"),
        lambda: links.assign("eth0", "10.9.0.1", 24),
        lambda: links.default_route(device="eth0"),
        lambda: links.set_mac("eth0", "02:00:00:00:00:01"),
        lambda: links.disable_checksum_offload("eth0"),
    ]
    for attempt in attempts:
        with pytest.raises(KernelError, match=r"cannot .*: there is no (such )?interface") as refused:
            attempt()
        assert refused.value.errno == errno.ENODEV
