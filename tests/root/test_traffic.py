"""The data paths under real traffic: a strict subscriber finds nothing wrong, each octet is counted."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.linux import interface, links, netns, sysctl
from tests.patience import PATIENCE
from tests.peer import Subscriber
from tests.root.engine import Engine
from tests.root.test_personas import ping
from tests.root.traffic import FAR, StrictPeer, far, iperf3, serving
from tests.root.wire import Cable

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]
ebpf = pytest.mark.parametrize("engine", ["ebpf"], indirect=True)
both = pytest.mark.parametrize("engine", ["ebpf", "tun"], indirect=True)

MAC, OTHER_MAC = "02c100000001", "02c100000002"
IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU = 10, 2, 14
SEEN = """
table inet seen {
  chain forward {
    type filter hook forward priority 0
    iifname "DEVICE" oifname "DEVICE" ct state established counter comment "between"
    iifname "DEVICE" oifname "eth1" counter comment "up"
    iifname "eth1" oifname "DEVICE" counter comment "down"
    iifname "eth0" counter comment "other"
  }
}
"""
COUNTERS = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes")
LARGE = """
table inet large {
  chain output {
    type filter hook output priority 0
    oifname "DEVICE" meta length > 1492 counter
  }
}
"""


@pytest.fixture
def server(engine: Engine, namespace: str) -> Iterator[str]:
    """The far side, with an iperf3 server."""
    engine.serve("theo", "pablo")
    engine.lead()
    with far(namespace) as name, serving(name):
        yield name


def assert_exact(engine: Engine, *peers: StrictPeer) -> None:
    """Once all has arrived, what was counted here is what each subscriber sent and got, and all was right."""
    end = time.monotonic() + PATIENCE
    for peer in peers:
        while (ours := counted(engine, peer)) != (theirs := seen(peer)):
            assert time.monotonic() < end, f"{ours} counted, and the subscriber says {theirs}"
            time.sleep(0.05)
        assert peer.report["faults"] == []


def counted(engine: Engine, peer: StrictPeer) -> dict[str, int]:
    (view,) = [view for view in engine.sessions() if view["address"] == peer.address]
    return {key: view[key] for key in COUNTERS}


def seen(peer: StrictPeer) -> dict[str, int]:
    """In our words: what it sends, we receive."""
    other = {"rx": "tx", "tx": "rx"}
    now = peer.look()
    return {key: now[other[key[:2]] + key[2:]] for key in COUNTERS}


def until_seen(peer: StrictPeer, packets: int) -> None:
    end = time.monotonic() + PATIENCE
    while peer.look()["rx_packets"] < packets:
        assert time.monotonic() < end, peer.report
        time.sleep(0.05)


def load(namespace: str, *arguments: str, to: str = FAR) -> dict[str, Any]:
    """Traffic of which no more is under way than every queue has room for, however slow its reader is: what
    is lost in a queue would have been counted at one end alone. So TCP has a window, and of UDP there must
    not be more than some hundred packets.
    """
    window = () if "-u" in arguments else ("-w", "128K")
    return iperf3(namespace, *arguments, *window, to=to)


@ebpf
@pytest.mark.parametrize(
    "arguments",
    [
        ("-n", "20M"),
        ("-n", "20M", "-R"),
        ("-n", "5M", "-P", "4", "--bidir"),
        ("-u", "-b", "20M", "-n", "1M", "-l", "1400"),
        ("-u", "-b", "20M", "-n", "1M", "-l", "1464", "-R"),
        ("-u", "-b", "20M", "-n", "1M", "-l", "4000"),
        ("-u", "-b", "20M", "-n", "1M", "-l", "4000", "-R"),
        ("-u", "-b", "2M", "-n", "12K", "-l", "16", "-R"),
    ],
    ids=" ".join,
)
def test_X1_X2_every_frame_under_load_is_right_and_counted(
    engine: Engine, server: str, neighbour: str, arguments: tuple[str, ...]
) -> None:
    with StrictPeer(neighbour, "theo", MAC) as peer:
        said = load(neighbour, *arguments)
        assert_exact(engine, peer)
    assert peer.report["faults"] == []
    if "sum_received" in said:
        assert said["sum_received"]["bytes"] > 0
    drops = engine.observe()["drops"]
    assert {"unsegmented", "too_big", "truncated_data"}.isdisjoint(drops), drops


@contextlib.contextmanager
def second_line(engine: Engine, namespace: str) -> Iterator[str]:
    """Another subscriber's end of a cable, on an access interface of its own."""
    name = f"{namespace}-c"
    netns.create(name)
    try:
        links.create_veth("eth2", "eth0", name)
        links.bring("eth2", up=True)
        with netns.inside(name):
            links.bring("eth0", up=True)
        assert "ok" in engine.ask("listen", generation=2, interface="eth2")
        yield name
    finally:
        assert "ok" in engine.ask("unlisten", generation=3, interface="eth2")
        netns.remove(name)


def strict_rp_filter(*names: str) -> None:
    for name in ("all", "default", *names):
        sysctl.write(sysctl.interface_key(name, "rp_filter"), 1)


def nft(*arguments: str, script: str = "") -> str:
    done = subprocess.run(["nft", *arguments], input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@both
def test_subscribers_reach_each_other_under_strict_rp_filter_and_nftables_tells_them_by_their_device(
    engine: Engine, server: str, neighbour: str, namespace: str
) -> None:
    device = engine.ask("hello")["ok"]["device"]
    strict_rp_filter("eth0", "eth1", device)
    nft("-f", "-", script=SEEN.replace("DEVICE", device))
    with second_line(engine, namespace) as second:
        with StrictPeer(neighbour, "theo", MAC) as theo, StrictPeer(second, "pablo", OTHER_MAC) as pablo:
            load(neighbour, "-n", "2M")
            with serving(second):
                load(neighbour, "-n", "2M", to=pablo.address)
                load(neighbour, "-n", "2M", "-R", to=pablo.address)
            assert_exact(engine, theo, pablo)
        assert (theo.report["faults"], pablo.report["faults"]) == ([], [])
    listed = json.loads(nft("-j", "list", "table", "inet", "seen"))["nftables"]
    rules = [entry["rule"] for entry in listed if "rule" in entry]
    counters = [next(part["counter"] for part in rule["expr"] if "counter" in part) for rule in rules]
    counted = {rule["comment"]: counter["packets"] for rule, counter in zip(rules, counters, strict=True)}
    assert counted["other"] == 0, "subscribers' packets are never seen on the access interface"
    assert min(counted[way] for way in ("between", "up", "down")) > 100, counted


@ebpf
@pytest.mark.parametrize("mtu", [1492, 1400])
def test_X1_who_sends_too_much_with_df_is_told_the_sessions_size(
    engine: Engine, server: str, neighbour: str, mtu: int
) -> None:
    with StrictPeer(neighbour, "theo", MAC, mtu) as peer, netns.inside(server):
        assert peer.mtu == mtu
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
            sender.connect((peer.address, 4001))
            sender.settimeout(PATIENCE)
            sender.send(bytes(1472))
            with pytest.raises(OSError, match="too long"):
                sender.recv(1)
            assert sender.getsockopt(socket.IPPROTO_IP, IP_MTU) == mtu
            sender.send(bytes(mtu - 28))
            until_seen(peer, 1)
    assert peer.report["faults"] == []
    assert (peer.report["rx_packets"], peer.report["rx_bytes"]) == (1, mtu), "what fits has come, and no more"


@both
def test_RFC4638_packets_of_1500_octets_beside_a_session_of_1492(
    engine: Engine, server: str, neighbour: str, namespace: str
) -> None:
    interface.set_mtu("eth0", 1508)
    with netns.inside(neighbour):
        interface.set_mtu("eth0", 1508)
    while engine.observe()["listeners"]["eth0"]["mtu"] != 1508:  # it looks once a second
        time.sleep(0.05)
    engine.ask("configure", generation=2, settings={"mtu": 1500})
    with second_line(engine, namespace) as second:
        with (
            StrictPeer(second, "pablo", OTHER_MAC) as small,
            StrictPeer(neighbour, "theo", MAC, 1500) as large,
        ):
            assert (small.mtu, large.mtu) == (1492, 1500)
            for where in (neighbour, second):
                for way in ((), ("-R",)):
                    load(where, "-u", "-b", "20M", "-n", "512K", "-l", "1472", *way)
                    load(where, "-n", "1M", *way)
            assert_exact(engine, small, large)
        assert (small.report["faults"], large.report["faults"]) == ([], [])
        assert {"unsegmented", "too_big", "truncated_data"}.isdisjoint(engine.observe()["drops"])


@both
def test_packets_of_our_own_sockets_are_cut_to_segments_before_they_become_frames(
    engine: Engine, neighbour: str, namespace: str
) -> None:
    """And not before: TCP hands over many at once, which is most of its speed."""
    engine.serve("theo")
    engine.lead()
    nft("-f", "-", script=LARGE.replace("DEVICE", engine.ask("hello")["ok"]["device"]))
    with StrictPeer(neighbour, "theo", MAC) as peer, serving(neighbour):
        load(namespace, "-n", "20M", to=peer.address)
        load(namespace, "-n", "10M", "-R", to=peer.address)
        assert_exact(engine, peer)
    assert peer.report["faults"] == []
    assert "unsegmented" not in engine.observe()["drops"]
    assert "counter packets 0 " not in nft("list", "table", "inet", "large")


@both
def test_an_engine_that_is_killed_under_load_is_not_missed_and_nothing_is_miscounted(
    engine: Engine, server: str, neighbour: str, tmp_path: Path
) -> None:
    with StrictPeer(neighbour, "theo", MAC) as peer:
        with netns.inside(neighbour):
            running = subprocess.Popen(
                ["iperf3", "-c", FAR, "-J", "-t", "4", "--bidir", "-w", "128K"],
                stdout=subprocess.PIPE,
                text=True,
            )
        with running:
            datapath = engine.ask("hello")["ok"]["datapath"]
            for _ in range(2):
                engine.die(signal.SIGKILL)
                engine.__init__(tmp_path, datapath)  # type: ignore[misc]
                assert [view["user"] for view in engine.sessions()] == ["theo"]
            said = json.loads(running.communicate(timeout=PATIENCE)[0])
        assert "error" not in said
        assert_exact(engine, peer)
    assert peer.report["faults"] == []


@ebpf
def test_who_sends_in_a_session_that_does_not_exist_is_told_to_dial_again(
    engine: Engine, neighbour: str, cable: Cable
) -> None:
    engine.serve("theo")
    theo = cable.dial(Subscriber(bytes.fromhex(MAC)))
    theo.session_id ^= 0x0100
    cable.say([ping(theo, number) for number in range(100)])
    cable.until(lambda: theo.state == "closed")
    assert engine.observe()["drops"]["stray"] == 100
