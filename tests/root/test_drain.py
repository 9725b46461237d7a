"""Draining for real: subscribers are told to leave, a few at a time; what restarts meanwhile goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.resources.engine import NoEngineError
from tests.patience import PATIENCE
from tests.peer import Subscriber
from tests.root.box import Box, condition, wait_for_end
from tests.root.engine import Engine
from tests.root.wire import Cable

pytestmark = pytest.mark.root

USERS = tuple(f"u{number}" for number in range(6))
SITE = """\
version: 1
interface: eth0
local_ip: 10.214.2.100
pool_start: 10.214.2.104
pool_size: 16
users:
""" + "".join(f"  {name}: test\n" for name in USERS)


def subscribers(cable: Cable) -> list[Subscriber]:
    """Everybody, dialled in."""
    callers = [Subscriber(b"\x02\xc1\0\0\0" + bytes([n]), name.encode()) for n, name in enumerate(USERS)]
    for caller in callers:
        assert cable.dial(caller).state == "up"
    return callers


def up(callers: list[Subscriber]) -> int:
    return sum(caller.state == "up" for caller in callers)


def test_on_exit_drain_tells_everybody_and_leaves_nothing(box: Box, cable: Cable) -> None:
    process = box.start("--datapath", "tun", "--on-exit", "drain")
    pid = box.ready()["engine"]["pid"]
    callers = subscribers(cable)
    process.send_signal(signal.SIGTERM)
    cable.until(lambda: up(callers) == 0)
    assert process.wait(PATIENCE) == 0
    wait_for_end(pid)
    assert not (box.directory / "run" / "journal.sqlite").exists()


def test_sigterm_alone_leaves_everybody_up(box: Box, cable: Cable) -> None:
    process = box.start("--datapath", "tun")
    box.ready()
    callers = subscribers(cable)
    assert box.finish(process) == 0
    assert len(box.engine.observe()["sessions"]) == up(callers) == len(USERS)


def test_the_impatient_may_stop_twice(box: Box, cable: Cable) -> None:
    process = box.start("--datapath", "null", "--on-exit", "drain", "--drain-rate", "0.1/s")
    box.ready()
    callers = subscribers(cable)
    process.send_signal(signal.SIGTERM)
    cable.until(lambda: up(callers) == len(callers) - 1)
    assert box.client.get("/v1/status")["draining"] == 0.1
    process.send_signal(signal.SIGTERM)
    cable.until(lambda: up(callers) == 0)
    assert process.wait(PATIENCE) == 0


def test_the_command_drains_at_its_pace_and_undo_admits_again(box: Box, cable: Cable) -> None:
    box.start("--datapath", "null")
    box.ready()
    callers = subscribers(cable)
    argv = [sys.executable, "-m", "reconciler", "drain", "--rate", "20/s"]
    argv += ["--runtime-dir", str(box.directory / "run")]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as command:
        cable.until(lambda: command.poll() is not None)
        assert (command.returncode, up(callers)) == (0, 0)
    status = box.until(lambda status: condition(status, "Draining")[0], "the condition")
    assert (status["draining"], status["unpredicted_drops_total"]) == (20, 0)
    assert condition(status, "Ready")[0]
    late = Subscriber(b"\x02\xc1\0\0\0\x99", b"u0")
    cable.say(late.dial(0.0))
    box.client.post("/v1/drain", undo=True)
    assert box.client.get("/v1/status")["draining"] is None
    assert cable.dial(Subscriber(b"\x02\xc1\0\0\0\x98", b"u1")).state == "up"
    assert late.state != "up", "its first call was not answered"


def test_a_drain_goes_on_in_the_next_engine(cable: Cable, tmp_path: Path) -> None:
    engine = Engine(tmp_path, "null")
    engine.serve(*USERS)
    callers = subscribers(cable)
    assert engine.ask("drain", rate=0.5)["ok"] == {}
    cable.until(lambda: up(callers) < len(callers))
    engine.die(signal.SIGKILL)
    heir = Engine(tmp_path, "null")
    try:
        assert heir.ask("observe")["ok"]["draining"] == 0.5
        heir.ask("drain", rate=100)
        cable.until(lambda: up(callers) == 0)
        assert heir.ask("observe")["ok"]["drops"].get("stopping", 0) == 0
        heir.ask("drain", rate=None)
        heir.die(signal.SIGKILL)
        heir = Engine(tmp_path, "null")
        assert heir.ask("observe")["ok"]["draining"] is None
    finally:
        heir.end()


def test_an_engine_refuses_what_is_no_pace(engine: Engine) -> None:
    for rate in (0, -1, "fast", 1e7, True, float("nan")):
        assert engine.ask("drain", rate=rate)["error"]["code"] == "bad_request", rate
    assert engine.ask("observe")["ok"]["draining"] is None


def test_without_an_engine_the_door_says_so(box: Box) -> None:
    with pytest.raises(NoEngineError):
        box.engine.drain(1.0)
