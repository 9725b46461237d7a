"""The watch over every test's daemons sees what it is there to see."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.control.door import SOCKET_NAME
from tests.root.daemons import Daemons, runtime_dir

SLEEP = "import time; time.sleep(60)"


@pytest.fixture(autouse=True)
def nobody_is_dropped_unnamed(daemons: Daemons) -> Iterator[None]:
    """Here it is only said so."""
    yield
    daemons.new_drops()


@pytest.fixture
def guilty(tmp_path: Path) -> Iterator[Path]:
    """The runtime directory of a daemon that owns up to three unnamed drops."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / SOCKET_NAME))
        door.listen()
        thread = threading.Thread(target=_confess, args=(door,))
        thread.start()
        yield tmp_path
        door.shutdown(socket.SHUT_RDWR)
        thread.join()


def _confess(door: socket.socket) -> None:
    while True:
        try:
            wire, _ = door.accept()
        except OSError:
            return
        with wire:
            wire.recv(1 << 16)
            wire.sendall(b"HTTP/1.1 200 OK\r\n\r\nreconciler_unpredicted_drops_total 3\n")


def command(directory: Path) -> list[str]:
    """A process that looks like ``reconciler run``."""
    return [sys.executable, "-c", SLEEP, "reconciler", "run", "--runtime-dir", str(directory)]


def test_a_daemon_that_is_ended_within_the_test_is_asked_before(guilty: Path) -> None:
    known = Daemons()
    with known.watched(), subprocess.Popen(command(guilty)) as process:
        process.kill()
    assert (known.new_drops(), known.asked) == (3, 1)
    assert known.new_drops() == 0, "it was told"


def test_a_daemon_that_goes_on_is_asked_at_the_end(guilty: Path) -> None:
    known = Daemons()
    with known.watched(), subprocess.Popen(command(guilty)) as process:
        assert (known.new_drops(), known.new_drops()) == (3, 0), "each is told once"
        process.kill()


def test_other_processes_are_left_alone(tmp_path: Path) -> None:
    assert runtime_dir(["reconciler", "status", "--runtime-dir", "x"]) is None
    assert runtime_dir("reconciler run --runtime-dir x") is None
    assert runtime_dir(command(tmp_path)) == tmp_path
