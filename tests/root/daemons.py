"""Every reconciler that a test runs is asked, as late as it can be, whether it dropped somebody unnamed.

`subprocess.Popen` is watched for the time of the tests: whoever starts ``reconciler run`` need not know. A
daemon is asked before it is sent a signal, and while it runs at the end of each test.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from reconciler.control.door import SOCKET_NAME
from tests.patience import PATIENCE

_COUNT = re.compile(rb"^reconciler_unpredicted_drops_total (\d+)$", re.MULTILINE)


def unpredicted_drops(runtime_dir: Path) -> int | None:
    """What the daemon of a runtime directory has counted; None when nobody answers."""
    text = b""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        try:
            sock.connect(str(runtime_dir / SOCKET_NAME))
            sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while part := sock.recv(1 << 16):
                text += part
        except OSError:
            return None
    found = _COUNT.search(text)
    return int(found[1]) if found else None


class Daemons:
    """Those that were started. ``asked`` counts the answers that they gave."""

    def __init__(self) -> None:
        self._running: dict[subprocess.Popen[Any], Path] = {}
        self._counted: dict[subprocess.Popen[Any], int] = {}
        self._told = 0
        self.asked = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Know of every process that is started meanwhile."""
        start, send = subprocess.Popen.__init__, subprocess.Popen.send_signal

        def started(process: subprocess.Popen[Any], argv: Any, *args: Any, **kwargs: Any) -> None:
            start(process, argv, *args, **kwargs)
            directory = runtime_dir(argv)
            if directory is not None:
                self._running[process] = directory

        def signalled(process: subprocess.Popen[Any], number: int) -> None:
            if process in self._running and process.poll() is None and number != signal.SIGCONT:
                self._ask(process)
            send(process, number)

        with (
            patch.object(subprocess.Popen, "__init__", started),
            patch.object(subprocess.Popen, "send_signal", signalled),
        ):
            yield

    def new_drops(self) -> int:
        """Drops that no plan had named, of which nobody was told yet."""
        for process in list(self._running):
            if process.poll() is None:
                self._ask(process)
            else:
                del self._running[process]
        before, self._told = self._told, sum(self._counted.values())
        return self._told - before

    def _ask(self, process: subprocess.Popen[Any]) -> None:
        count = unpredicted_drops(self._running[process])
        if count is not None:
            self.asked += 1
            self._counted[process] = count


def runtime_dir(argv: object) -> Path | None:
    """The runtime directory of a command that is ``reconciler run``, else None."""
    words = [str(word) for word in argv] if isinstance(argv, list | tuple) else []
    if "reconciler" not in words or "run" not in words or "--runtime-dir" not in words:
        return None
    return Path(words[words.index("--runtime-dir") + 1])
