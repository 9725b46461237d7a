"""The concentrator as its operator meets it: a daemon, its file and its API; and its processes, to be killed.

It knows nothing of subscribers.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from reconciler.control.client import AnswerError, Client, NoDaemonError
from reconciler.lab.instance import condition
from reconciler.linux import netlink, netns

MODULES = {"engine": "reconciler.engine", "worker": "reconciler.engine.datapath.worker", "reconciler": "run"}
"""How a process of each kind is told by its command line."""
PATIENCE = 60.0


class House:
    """``directory`` holds its site.yaml, its sockets, its state and its log."""

    def __init__(self, directory: Path, namespace: str) -> None:
        self.site = directory / "site.yaml"
        self.log = directory / "log"
        self.run = directory / "run"
        self._state = directory / "state"
        self._namespace = namespace
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Client(self.run)
        self.unpredicted = 0

    def start(self) -> None:
        """Run the daemon, and wait until everything is as the file says."""
        command = [sys.executable, "-m", "reconciler", "run", str(self.site), "--datapath", "tun"]
        command += ["--runtime-dir", str(self.run), "--state-dir", str(self._state)]
        with self.log.open("ab") as log, netns.inside(self._namespace):
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.until(lambda status: condition(status, "Ready"), "being ready")

    def stop(self) -> None:
        """End the daemon; what it leaves running goes with its namespace."""
        self._count()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def save(self, text: str) -> None:
        """Save the file, as an editor does: beside it, then in its place."""
        beside = self.site.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.site)

    def plan(self, text: str) -> dict[str, Any]:
        """What an apply of this text would do."""
        answer = self.client.post("/v1/plan", path=str(self.site), text=text, patience=PATIENCE)
        return dict(answer["plan"])

    def apply(self) -> str:
        """Converge now; the result in a word."""
        answer = self.client.post("/v1/apply", path=str(self.site), patience=PATIENCE)
        return str(answer["result"])

    def status(self) -> dict[str, Any]:
        """What it says of itself; nothing while it does not answer."""
        try:
            return dict(self.client.get("/v1/status"))
        except (NoDaemonError, AnswerError):
            return {}

    def sessions(self) -> list[dict[str, Any]]:
        return list(self.client.get("/v1/sessions"))

    def account(self, user: str) -> str:
        """All that the daemon says of a user: why they are not online, or their sessions."""
        try:
            why = json.dumps(self.client.get("/v1/why", name=user), indent=1)
            return "\n".join([why, *(str(one) for one in self.sessions() if one["user"] == user)])
        except (NoDaemonError, AnswerError) as error:
            return str(error)

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]

    def until(self, fulfilled: Callable[[dict[str, Any]], bool], what: str) -> None:
        """Wait for a status. Raises ``AssertionError`` with the end of the log."""
        end = time.monotonic() + PATIENCE
        while not ((status := self.status()) and fulfilled(status)):
            if time.monotonic() > end:
                raise AssertionError(f"no sign of {what}: {status.get('conditions')}\n{self.last_words()}")
            time.sleep(0.02)

    def processes(self) -> dict[str, int]:
        """Its processes by kind."""
        found: dict[str, int] = {}
        for pid in netns.processes(self._namespace):
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                found.update((kind, pid) for kind, word in MODULES.items() if word in words)
        return found

    def confessed(self) -> list[str]:
        """What it has logged of drops that no plan had named."""
        return [line for line in self.log.read_text(errors="replace").splitlines() if "no plan named" in line]

    def routes(self) -> list[str]:
        """What leads to subscribers now."""
        device = self.status().get("device")
        with netns.inside(self._namespace):
            return sorted(route.destination for route in netlink.routes(device)) if device else []

    def kill(self, kind: str) -> None:
        """End a process as in a crash. The reconciler is started again, as a service manager would; the
        others have somebody who sees to that.
        """
        if kind == "reconciler":
            self._count()
            assert self._process is not None
            self._process.kill()
            self._process.wait()
            self.start()
            return
        before, routes = self.processes()[kind], self.routes()
        os.kill(before, signal.SIGKILL)
        self.until(
            lambda status: (
                condition(status, "Ready")
                and self.processes().get(kind, before) != before
                and set(self.routes()) >= set(routes)
            ),
            f"another {kind}",
        )

    def _count(self) -> None:
        """The counter ends with its process."""
        self.unpredicted += int(self.status().get("unpredicted_drops_total", 0))
