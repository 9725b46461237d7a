"""The engine is adopted, started, restarted, and ended: with a stand-in program as the engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from reconciler.engine.messages import PROTOCOL
from reconciler.loop.keeping.lock import Lock, RuntimeDirError
from reconciler.loop.supervise import EngineStartError, Supervisor
from reconciler.resources.engine import EngineClient, NoEngineError, ProtocolError
from tests.patience import PATIENCE


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def command(directory: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "tests.fakes.engine", "--runtime-dir", str(directory), *more]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def supervisor(tmp_path: Path, clock: Clock) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, command(tmp_path), clock)
    yield supervisor
    supervisor.stop()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_starts_an_engine_that_outlives_us(supervisor: Supervisor) -> None:
    pid = supervisor.ensure()["pid"]
    assert os.getsid(pid) == pid != os.getsid(0), "a signal to our terminal must not reach it"
    assert supervisor.ensure()["pid"] == pid


def test_adopts_a_running_engine(supervisor: Supervisor, tmp_path: Path) -> None:
    pid = supervisor.ensure()["pid"]
    second = Supervisor(tmp_path, ["/bin/false"])
    assert second.ensure()["pid"] == pid
    second.client.close()


def test_replaces_an_engine_that_died(supervisor: Supervisor, clock: Clock) -> None:
    pid = supervisor.ensure()["pid"]
    clock.now += 120
    kill(pid)
    assert supervisor._process is not None
    supervisor._process.wait()
    with pytest.raises(EngineStartError, match="signal 9") as caught:
        supervisor.ensure()
    clock.now += caught.value.retry_in
    assert supervisor.ensure()["pid"] != pid


def test_says_why_an_engine_does_not_start_and_waits_longer_each_time(tmp_path: Path, clock: Clock) -> None:
    supervisor = Supervisor(tmp_path, command(tmp_path, "--die", "engine: needs /dev/net/tun"), clock)
    pauses = []
    for _ in range(4):
        with pytest.raises(
            EngineStartError, match=r"^the engine cannot be started: needs /dev/net/tun$"
        ) as caught:
            supervisor.ensure()
        pauses.append(caught.value.retry_in)
        clock.now += caught.value.retry_in
    assert pauses == [0.2, 0.4, 0.8, 1.6]


def test_does_not_start_again_before_its_time(tmp_path: Path, clock: Clock) -> None:
    supervisor = Supervisor(tmp_path, ["/nonexistent/engine"], clock)
    for _ in range(2):
        with pytest.raises(EngineStartError, match="cannot be started: No such file"):
            supervisor.ensure()
    assert supervisor._failures == 1


@contextmanager
def engine_of(directory: Path, protocol: int) -> Iterator[subprocess.Popen[bytes]]:
    """An engine of another version, started by somebody else."""
    argv = command(directory, "--protocol", str(protocol))
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process
        finally:
            process.kill()


def test_an_older_engine_makes_room_for_ours(supervisor: Supervisor, tmp_path: Path) -> None:
    with engine_of(tmp_path, PROTOCOL - 1) as old:
        hello = supervisor.ensure()
        assert (hello["protocol"], hello["pid"] != old.pid) == (PROTOCOL, True)
        assert old.wait(PATIENCE) == 0, "it was asked to leave, not to end its sessions"


def test_an_older_engine_stays_where_ours_could_not_go_on(tmp_path: Path, clock: Clock) -> None:
    supervisor = Supervisor(tmp_path, command(tmp_path, "--die", "engine: the journal is newer"), clock)
    with engine_of(tmp_path, PROTOCOL - 1) as old, closing(supervisor.client):
        for _ in range(2):
            with pytest.raises(
                EngineStartError, match=r"goes on, since ours could not: the journal is newer$"
            ):
                supervisor.ensure()
        assert supervisor._failures == 1, "asked once, and again after a pause"
        assert old.poll() is None


def test_an_older_engine_that_is_not_ours_to_start_is_left_to_its_unit(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, None)
    with engine_of(tmp_path, PROTOCOL - 1) as old, closing(supervisor.client):
        with pytest.raises(EngineStartError, match="restart its unit, which drops nobody"):
            supervisor.ensure()
        assert old.poll() is None


def test_a_newer_engine_is_left_alone_and_its_version_is_named(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, command(tmp_path))
    with engine_of(tmp_path, PROTOCOL + 1) as new, closing(supervisor.client):
        with pytest.raises(ProtocolError, match=r"start `reconciler run` of version 0; nobody was dropped$"):
            supervisor.ensure()
        assert new.poll() is None


def test_stop_waits_for_the_end(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, command(tmp_path))
    supervisor.ensure()
    process = supervisor._process
    supervisor.stop()
    assert process is not None
    assert process.returncode == 0
    with pytest.raises(NoEngineError):
        EngineClient(tmp_path).hello()


def test_stop_without_an_engine_is_no_error(tmp_path: Path) -> None:
    Supervisor(tmp_path, ["/bin/false"]).stop()


def test_huge_log_is_cut(supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.loop.supervise._LONGEST_LOG", 10)
    supervisor.ensure()
    (tmp_path / "engine.log").write_text("x" * 11)
    supervisor.ensure()
    assert (tmp_path / "engine.log").stat().st_size == 0


def test_one_reconciler_to_a_runtime_directory(tmp_path: Path) -> None:
    lock = Lock.take(tmp_path / "run", "--runtime-dir")
    with pytest.raises(RuntimeDirError, match=rf"another reconciler \(pid {os.getpid()}\)"):
        Lock.take(tmp_path / "run", "--runtime-dir")
    lock.release()
    Lock.take(tmp_path / "run", "--runtime-dir").release()


def test_lock_dies_with_its_holder(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from reconciler.loop.keeping.lock import Lock;"
        "lock = Lock.take(Path(sys.argv[1]), '--state-dir'); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RuntimeDirError, match=f"pid {holder.pid}"):
            Lock.take(tmp_path, "--state-dir")
        holder.kill()
    Lock.take(tmp_path, "--state-dir").release()


def test_path_too_long_for_a_socket_is_one_line_with_advice(tmp_path: Path) -> None:
    with pytest.raises(RuntimeDirError, match="choose a shorter --runtime-dir"):
        Lock.take(tmp_path / ("x" * 100), "--runtime-dir")


def test_runtime_directory_that_cannot_be_made_is_one_line_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeDirError, match="choose another --runtime-dir"):
        Lock.take(tmp_path / "file" / "run", "--runtime-dir")


def test_the_engine_gets_nothing_of_our_environment_that_is_ours_alone(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PABLO_PASSWORD", "hunter2")
    monkeypatch.setenv("LC_ALL", "C")
    pid = supervisor.ensure()["pid"]
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"PABLO_PASSWORD" not in environment
    assert b"LC_ALL=C" in environment
