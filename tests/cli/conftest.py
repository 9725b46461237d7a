"""A daemon in this process, over a small world, behind its real socket; and the command line, called as a
function.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reconciler.cli.root import invoke
from reconciler.control.server import Server
from reconciler.loop.advice import Advice
from reconciler.loop.answering.service import Service
from reconciler.loop.reconcile import Clocks
from reconciler.loop.run import Loop
from reconciler.loop.waking.watch import Watch
from tests.loop.running import Nobody
from tests.loop.world import World


class Said(NamedTuple):
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Daemon(World):
    """The world with its loop running in a thread, and its door open."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.edit()
        watch = Watch(self.wake.hint)
        advice = Advice(self.kernel, Nobody(), self.wake.hint)
        self.loop = Loop(self.reconciler, self.board, advice, self.wake, watch, 0.5, self.clock)
        clocks = Clocks(self.clock, self.clock)
        self.service = Service(self.loop, self.reconciler, self.supervisor.client, self.events, clocks)
        self.server = Server(directory, self.service)
        self.server.start()
        self._watch = watch
        self._thread = threading.Thread(target=self.loop.run, args=(lambda: None,), daemon=True)
        self._thread.start()

    def rest(self) -> None:
        """No more passes of its own; the door stays open."""
        self.wake.stop()
        self._thread.join()

    def close(self) -> None:
        self.rest()
        self.events.close()
        self.server.close()
        self._watch.close()
        super().close()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    running = Daemon(tmp_path)
    yield running
    running.close()


@pytest.fixture
def say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Said]:
    """Runs a command against the daemon of the test's directory, if there is one."""
    monkeypatch.setenv("RECONCILER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("RECONCILER_STATE_DIR", str(tmp_path / "state"))

    def run(*arguments: str | Path) -> Said:
        capsys.readouterr()
        status = invoke([str(argument) for argument in arguments])
        return Said(status, *capsys.readouterr())

    return run
