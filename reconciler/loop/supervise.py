"""Keeps one engine running: adopts the one that is there, else starts one, again and again with growing
pauses.

The engine gets a session of its own and a log file instead of our standard error, so that it outlives us.
Neighbours: ``resources.engine`` speaks to it; the loop calls :meth:`Supervisor.ensure` at the head of each
pass. It must not know what the engine is told.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.engine.messages import SOCKET_NAME, Hello
from reconciler.resources.engine import EngineClient, NoEngineError, ProtocolError, RefusedError

LOG_NAME = "engine.log"
START_TIMEOUT = 30.0
"""Seconds that an engine may take to answer: a tenth of one, and many on a small, busy machine."""

STOP_TIMEOUT = 15.0
"""Seconds that an engine may take to end; it gives its subscribers four to say goodbye."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
_PROVEN = 60.0
"""Seconds after which an engine that ran counts as one that works."""

_LONGEST_LOG = 8 << 20

log = logging.getLogger("reconciler")

_HANDED_ON = frozenset({"HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ", "VIRTUAL_ENV"})
"""Variables that the engine gets from us; with the like of ``LC_ALL`` and ``PYTHONPATH``."""


class EngineStartError(Exception):
    """No engine, and none could be started. One line; ``retry_in`` seconds until it is worth another try."""

    def __init__(self, message: str, retry_in: float) -> None:
        super().__init__(message)
        self.retry_in = retry_in


class Supervisor:
    """Runs the engine of ``runtime_dir`` by ``command``; without one, something else starts it, such as a
    unit of its own. Not thread-safe.
    """

    def __init__(
        self, runtime_dir: Path, command: Sequence[str] | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.client = EngineClient(runtime_dir)
        self._directory = runtime_dir
        self._command = command
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._failures = 0
        self._not_before = 0.0
        self._trouble = ""

    def ensure(self) -> Hello:
        """The running engine's answer to ``hello``, after starting it if there was none, or an older one.

        Raises :class:`EngineStartError`; and ``ProtocolError`` when a newer engine runs, which is left alone.
        """
        try:
            hello = self.client.hello()
        except NoEngineError:
            hello = self._begin()
        except ProtocolError as error:
            if not error.older:
                raise
            self._dismiss(error.hello)
            hello = self._begin()
        self._trim_log()
        return hello

    def stop(self) -> None:
        """End every session, then the engine, and wait for it. Raises ``NoEngineError`` when it does not
        end.
        """
        with suppress(NoEngineError, RefusedError):
            self.client.shutdown()
        self.client.close()
        pid = _owner(self._directory / SOCKET_NAME)
        self._wait_for_the_end(f"the engine (pid {pid}) does not end: `kill {pid}` ends it")

    def _begin(self) -> Hello:
        self._reap()
        self._refuse_second_engine()
        self._start()
        return self._greet()

    def _dismiss(self, old: Hello) -> None:
        """Have an older engine's process end. Its sessions go on with the next one, which is asked first
        whether it can.
        """
        who = f"the engine (pid {old['pid']}, version {old['version']}) is older than this program"
        if self._command is None:
            raise EngineStartError(f"{who}: restart its unit, which drops nobody", _LONGEST_PAUSE)
        self._wait_for_our_turn()
        check = subprocess.run(
            [*self._command, "--check"], capture_output=True, text=True, timeout=START_TIMEOUT, check=False
        )
        if check.returncode:
            raise self._failed(f"{who}, and goes on, since ours could not: {_last_line(check.stderr)}")
        log.info("%s: ours goes on in its place", who)
        self.client.close()
        with suppress(ProcessLookupError):
            os.kill(old["pid"], signal.SIGTERM)
        self._wait_for_the_end(f"{who} and does not end: `kill -9 {old['pid']}` ends it")

    def _wait_for_the_end(self, trouble: str) -> None:
        """Of the engine's process, however it was asked. Raises ``NoEngineError`` when it takes too long."""
        deadline = self._clock() + STOP_TIMEOUT
        while _owner(self._directory / SOCKET_NAME) or not self._ended():
            if self._clock() > deadline:
                raise NoEngineError(trouble)
            time.sleep(0.02)

    def _wait_for_our_turn(self) -> None:
        left = self._not_before - self._clock()
        if left > 0:
            raise EngineStartError(self._trouble, left)

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _reap(self) -> None:
        """Take note of an engine of ours that died, since that is news only once."""
        if self._process is None or self._process.poll() is None:
            return
        if self._clock() - self._started_at > _PROVEN:
            self._failures = 0
        self._failed(f"the engine ended with {_status(self._process.returncode)}: {self._last_words()}")
        self._process = None

    def _refuse_second_engine(self) -> None:
        """Two engines on one interface would both answer: while one may still be there, none is started."""
        pid = _owner(self._directory / SOCKET_NAME)
        if pid is not None:
            raise EngineStartError(
                f"the engine (pid {pid}) does not answer: `kill {pid}` has it replaced", _LONGEST_PAUSE
            )

    def _start(self) -> None:
        if self._command is None:
            raise EngineStartError("no engine answers, and it is not ours to start", _FIRST_PAUSE)
        self._wait_for_our_turn()
        try:
            with open(self._directory / LOG_NAME, "ab", opener=_private) as log:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=_harmless(os.environ),
                    start_new_session=True,
                )
        except OSError as error:
            raise self._failed(f"the engine cannot be started: {error.strerror}") from None
        self._started_at = self._clock()

    def _greet(self) -> Hello:
        """Wait until the engine says that it is ready, or why not."""
        assert self._process is not None
        ready = _first_line(self._process, START_TIMEOUT)
        if ready != b"ready\n":
            words = "it was not ready in time"
            if ready == b"":
                self._process.wait()
                words = self._last_words()
            else:
                self._process.kill()
                self._process.wait()
            self._process = None
            raise self._failed(f"the engine cannot be started: {words}")
        try:
            return self.client.hello()
        except NoEngineError as error:
            raise self._failed(str(error)) from None

    def _failed(self, message: str) -> EngineStartError:
        pause = min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE)
        self._failures += 1
        self._not_before = self._clock() + pause
        self._trouble = message
        return EngineStartError(message, pause)

    def _last_words(self) -> str:
        with (self._directory / LOG_NAME).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
            return _last_line(log.read().decode(errors="backslashreplace"))

    def _trim_log(self) -> None:
        # The engine appends: cutting the file under it is safe, and /run is memory.
        with suppress(FileNotFoundError):
            log = self._directory / LOG_NAME
            if log.stat().st_size > _LONGEST_LOG:
                os.truncate(log, 0)


def _private(path: str, flags: int) -> int:
    """Opens a file that nobody else may read, where it makes it: the log names subscribers."""
    return os.open(path, flags, 0o600)


def _harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """Our environment without what is ours alone: passwords may be in it."""
    return {
        name: value
        for name, value in environment.items()
        if name in _HANDED_ON or name.startswith(("LC_", "PYTHON"))
    }


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("engine: ") if lines else "it said nothing"


def _first_line(process: subprocess.Popen[bytes], timeout: float) -> bytes | None:
    """What the process says first, ``b""`` when it ends without a word, None when it takes longer."""
    assert process.stdout is not None
    with process.stdout as output, selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        return output.readline() if selector.select(timeout) else None


def _status(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"


def _owner(path: Path) -> int | None:
    """The process that listens on the socket, None when nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.settimeout(1.0)
            probe.connect(str(path))
        except OSError:
            return None
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid: int = struct.unpack("3i", credentials)[0]
        return pid
