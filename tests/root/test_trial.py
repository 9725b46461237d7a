"""``reconciler probe`` on a real cable, with the real engine at the other end."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from reconciler.linux import links, netns
from tests.patience import PATIENCE
from tests.root.engine import Engine
from tests.root.wire import Cable

pytestmark = pytest.mark.root


def probe(namespace: str, *options: str, password: str = "test") -> tuple[int, Any]:
    """Its exit status and what it says."""
    argv = [sys.executable, "-m", "reconciler", "probe", "--interface", "eth0", "-o", "json", *options]
    with netns.inside(namespace):
        done = subprocess.run(
            argv, input=password, capture_output=True, text=True, timeout=2 * PATIENCE, check=False
        )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("method", ["chap", "pap"])
def test_a_call_comes_up_is_timed_and_leaves_nothing_behind(
    engine: Engine, neighbour: str, method: str
) -> None:
    engine.serve("theo")
    status, told = probe(neighbour, "--user", "theo", "--auth", method)
    assert status == 0, told
    assert (told["address"], told["method"], told["ac_name"]) == ("10.214.2.101", method, "SERVER")
    assert list(told["took_s"]) == ["discovery", "link", "authentication", "network"]
    assert engine.sessions() == []
    with netns.inside(neighbour):
        left = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    assert "ppp" not in left


def test_each_way_to_fail_names_its_phase(engine: Engine, neighbour: str) -> None:
    engine.serve("theo")
    engine.ask("configure", generation=2, settings={"service_names": ["slow"], "auth": ["chap"]})
    cases: list[tuple[tuple[str, ...], str, str, str]] = [
        (("--user", "theo", "--service", "slow"), "wrong", "authentication", "Login incorrect"),
        (("--user", "theo", "--service", "fast", "--timeout", "1"), "test", "discovery", "no answer"),
        (("--user", "theo", "--service", "slow", "--auth", "pap"), "test", "link", "Terminate-Request"),
    ]
    for options, password, phase, reason in cases:
        status, told = probe(neighbour, *options, password=password)
        assert (status, told["phase"]) == (1, phase), told
        assert reason in told["reason"]
    assert engine.sessions() == []


@pytest.mark.parametrize("engine", ["tun"], indirect=True)
def test_a_ping_goes_through_the_session_without_an_interface(engine: Engine, neighbour: str) -> None:
    engine.serve("theo")
    device = engine.ask("hello")["ok"]["device"]
    links.assign(device, "10.214.2.100", 32, peer="10.214.2.101")
    status, told = probe(neighbour, "--user", "theo", "--ping", "10.214.2.100")
    assert status == 0, told
    assert (told["ping"]["sent"], told["ping"]["received"]) == (3, 3)
    status, told = probe(neighbour, "--user", "theo", "--ping", "192.0.2.1")
    assert (status, told["reason"], told["ping"]["lost"]) == (1, "no ping was answered", 3)


def test_an_interrupted_probe_hangs_up(engine: Engine, neighbour: str, cable: Cable) -> None:
    engine.serve("theo")
    argv = [
        sys.executable,
        "-m",
        "reconciler",
        "probe",
        "--interface",
        "eth0",
        "--user",
        "theo",
        "--ping",
        "192.0.2.1",
    ]
    with netns.inside(neighbour):
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write("test")
    process.stdin.close()
    cable.until(lambda: any(one["state"] == "opened" for one in engine.sessions()))
    process.send_signal(2)
    assert process.wait(PATIENCE) == 130
    assert process.stdout is not None
    process.stdout.close()
    assert engine.sessions() == []


def test_a_missing_interface_is_one_line(namespace: str) -> None:
    argv = [sys.executable, "-m", "reconciler", "probe", "--interface", "eth9", "--user", "theo"]
    done = subprocess.run(argv, input="test", capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot dial on eth9: ")
