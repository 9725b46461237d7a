"""Rate limits on the real kernel: TCP keeps to them, they change while it runs, and nothing stays behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.linux import interface
from tests.patience import PATIENCE
from tests.root.engine import SETTINGS, Engine, entry
from tests.root.traffic import StrictPeer, far, iperf3, serving

pytestmark = [
    pytest.mark.root,
    pytest.mark.timeout(600),
    pytest.mark.parametrize("engine", ["tun", "ebpf"], indirect=True),
]

MAC = "02c100000001"
M = 1_000_000
OF_TCP = 1440 / 1492
"""What of a packet of 1492 octets is TCP's payload, with time stamps."""


@pytest.fixture
def server(engine: Engine, namespace: str) -> Iterator[str]:
    """The far side, with an iperf3 server."""
    engine.ask("configure", generation=1, settings=SETTINGS)
    engine.ask("listen", generation=1, interface="eth0")
    limit(engine, 0, 0)
    engine.lead()
    with far(namespace) as name, serving(name):
        yield name


def limit(engine: Engine, down: int, up: int) -> None:
    """Let theo have these rates."""
    put = [entry("theo", rate={"down": down, "up": up})]
    answer = engine.ask("users", generation=1, put=put, remove=[])
    assert answer["ok"]["ended"] == []


def rate(neighbour: str, *arguments: str) -> float:
    """What a TCP connection of two seconds came to, in bits of IPv4 a second, its start left out."""
    said = iperf3(neighbour, "-O", "1", "-t", "2", *arguments)
    return float(said["sum_received"]["bits_per_second"]) / OF_TCP


def keeps_to(limit: float, neighbour: str, *arguments: str) -> bool:
    """Whether a connection comes to the limit, and to no more. On a busy machine one may stand still for a
    moment, and hurry after it: then another is asked.
    """
    rates: list[float] = []
    while len(rates) < 5:
        rates.append(rate(neighbour, *arguments))
        if 0.8 * limit < rates[-1] < 1.05 * limit:
            return True
    sys.stdout.write(f"limited to {limit / M:g} Mbit/s, TCP came to {[one / M for one in rates]}\n")
    return False


def classes(device: str) -> str:
    argv = ["tc", "class", "show", "dev", device]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def device_of(engine: Engine) -> str:
    return str(engine.ask("hello")["ok"]["device"])


def test_tcp_keeps_to_its_rate_each_way(engine: Engine, server: str, neighbour: str) -> None:
    limit(engine, 8 * M, 4 * M)
    with StrictPeer(neighbour, "theo", MAC) as peer:
        assert keeps_to(8 * M, neighbour, "-R")
        assert keeps_to(4 * M, neighbour)
    assert peer.report["faults"] == []


def test_a_limit_comes_changes_and_goes_while_the_session_lasts(
    engine: Engine, server: str, neighbour: str
) -> None:
    with StrictPeer(neighbour, "theo", MAC):
        (before,) = engine.sessions()
        assert before["rate"] == {"down": 0, "up": 0}
        for asked in (8 * M, 4 * M):
            limit(engine, asked, 0)
            (now,) = engine.sessions()
            assert now["rate"] == {"down": asked, "up": 0}
            assert (now["id"], now["since"]) == (before["id"], before["since"])
            assert keeps_to(asked, neighbour, "-R")
        limit(engine, 0, 0)
        assert rate(neighbour, "-R") > 8 * M
    assert "htb" not in classes(device_of(engine)), "nothing waits any more"


def test_a_limit_outlives_the_engine_and_ends_with_the_session(
    engine: Engine, server: str, neighbour: str, tmp_path: Path
) -> None:
    limit(engine, 8 * M, 8 * M)
    with StrictPeer(neighbour, "theo", MAC):
        kind, device = engine.ask("hello")["ok"]["datapath"], device_of(engine)
        kept = classes(device)
        assert kept.count("rate 8Mbit") == 1
        engine.die(signal.SIGKILL)
        assert keeps_to(8 * M, neighbour, "-R"), "with no engine at all"
        engine.__init__(tmp_path, kind)  # type: ignore[misc]
        assert classes(device) == kept
        assert engine.sessions()[0]["rate"] == {"down": 8 * M, "up": 8 * M}
        limit(engine, 4 * M, 8 * M)
        assert "rate 4Mbit" in classes(device)
        engine.ask("users", generation=2, put=[], remove=[{"name": "theo", "sessions": "terminate"}])
    assert classes(device) == classes(f"{device}-up") == ""


def test_it_is_put_back_when_somebody_takes_it_away_and_leaves_no_trace(
    engine: Engine, server: str, neighbour: str
) -> None:
    limit(engine, 8 * M, 8 * M)
    device = device_of(engine)
    with StrictPeer(neighbour, "theo", MAC):
        subprocess.run(["ip", "link", "delete", f"{device}-up"], check=True)
        assert keeps_to(8 * M, neighbour)
    engine.ask("unlisten", generation=9, interface="eth0")
    engine.ask("shutdown")
    engine.process.wait(PATIENCE)
    for name in (device, f"{device}-up"):
        with pytest.raises(OSError, match="no such interface"):
            interface.read(name)
