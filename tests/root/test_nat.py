"""A subscriber with a private address reaches a server that knows no way back, by our address; and TCP is
told what the way takes.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.lab.sandbox import Sandbox
from reconciler.lab.topology import AC_ADDRESS, FAR_ADDRESS, ROUTER_ADDRESS
from reconciler.linux import netns, sysctl
from tests.patience import PATIENCE

pytestmark = pytest.mark.root

SITE = """\
version: 1
interface: eth0
local_ip: 172.20.0.1
pool_start: 172.20.0.10
pool_size: 8
forwarding: {ip_forward: true}
nat: {masquerade: eth0}
users:
  theo: test
"""
PORT = 4000


@pytest.fixture(scope="module", params=["tun", "auto"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(SITE, ("theo",), request.param) as made:
        with netns.inside(made.topology.ac):
            # The strict check of source addresses, everywhere: nothing here needs it to be off.
            sysctl.write(sysctl.interface_key("all", "rp_filter"), 1)
        up = made.callers["theo"].dial("theo", "test")
        assert up["event"] == "up", up
        # A subscriber behind a router whose own link takes more than the session does.
        with netns.inside(made.topology.namespace("theo")):
            subprocess.run(["ip", "link", "set", "ppp0", "mtu", "1500"], check=True)
        for name in (made.topology.namespace("far"), made.topology.namespace("theo")):
            with netns.inside(name):
                subprocess.run(["sysctl", "-qw", "net.ipv4.tcp_timestamps=0"], check=True)
        yield made


@contextmanager
def server(sandbox: Sandbox) -> Iterator[list[tuple[str, int]]]:
    """A server in the far network; who connected, and which segment size they asked for."""
    seen: list[tuple[str, int]] = []
    with netns.inside(sandbox.topology.namespace("far")):
        listening = socket.create_server((FAR_ADDRESS, PORT))

    def serve() -> None:
        while True:
            try:
                connection, (address, _) = listening.accept()
            except OSError:
                return
            with connection:
                seen.append((address, connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)))
                connection.sendall(b"hello")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield seen
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def call(sandbox: Sandbox) -> int:
    """Connect as the subscriber; the segment size that the server asked for."""
    with (
        netns.inside(sandbox.topology.namespace("theo")),
        socket.create_connection((FAR_ADDRESS, PORT), timeout=PATIENCE) as connection,
    ):
        assert connection.recv(5) == b"hello"
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)


def in_ac(sandbox: Sandbox, *command: str) -> str:
    with netns.inside(sandbox.topology.ac):
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_subscriber_is_translated_and_told_what_a_session_takes(sandbox: Sandbox) -> None:
    with server(sandbox) as seen:
        assert call(sandbox) == 1452, "in the SYN-ACK that came down"
    assert seen == [(AC_ADDRESS, 1452)], "in the SYN that went up"


def test_the_segment_size_follows_the_path_where_that_takes_less(sandbox: Sandbox) -> None:
    narrow = ("ip", "route", "change", "default", "via", ROUTER_ADDRESS)
    in_ac(sandbox, *narrow, "mtu", "1400")
    try:
        with server(sandbox) as seen:
            call(sandbox)
        assert [size for _, size in seen] == [1360]
    finally:
        in_ac(sandbox, *narrow)


def test_without_the_table_there_is_no_way_back_and_it_comes_back_by_itself(sandbox: Sandbox) -> None:
    device = sandbox.instance.status()["device"]
    table = f"reconciler-{device}-nat"
    text = sandbox.instance.site.read_text()
    try:
        sandbox.instance.save(text + "self_heal: {nft: report}\n")
        sandbox.instance.wait_in_force(text + "self_heal: {nft: report}\n")
        in_ac(sandbox, "nft", "delete", "table", "ip", table)
        with server(sandbox), netns.inside(sandbox.topology.namespace("theo")):
            with pytest.raises(TimeoutError), socket.create_connection((FAR_ADDRESS, PORT), timeout=0.5):
                pass
            sandbox.instance.save(text)
            sandbox.instance.wait_for(
                lambda status: any(
                    one["path"] == "nat.masquerade.eth0" and one["healed"] for one in status["drift"]
                ),
                "the table being back",
                15,
            )
        with server(sandbox) as seen:
            call(sandbox)
        assert [address for address, _ in seen] == [AC_ADDRESS]
    finally:
        sandbox.instance.save(text)


def test_a_public_fixed_address_is_left_as_it_is(sandbox: Sandbox) -> None:
    listing = in_ac(sandbox, "nft", "list", "ruleset")
    for network in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"):
        assert f'oifname "eth0" ip saddr {network} masquerade' in listing
    assert listing.count("masquerade") == 4, "the pool is within one of them"


def test_no_longer_declared_it_is_gone_and_nobody_loses_the_session(sandbox: Sandbox) -> None:
    text = sandbox.instance.site.read_text()
    before = [session["id"] for session in sandbox.instance.sessions()]
    plan = sandbox.instance.command("apply", str(sandbox.instance.site), "--dry-run")
    assert plan.stdout.startswith("No changes."), plan.stdout
    try:
        sandbox.instance.save(text.replace("nat: {masquerade: eth0}\n", "clamp_mss: false\n"))
        sandbox.instance.wait_for(lambda _: not in_ac(sandbox, "nft", "list", "tables"), "no table", 15)
        assert [session["id"] for session in sandbox.instance.sessions()] == before
    finally:
        sandbox.instance.save(text)
        sandbox.instance.wait_for(lambda _: "nat" in in_ac(sandbox, "nft", "list", "tables"), "it", 15)
