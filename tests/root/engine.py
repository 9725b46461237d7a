"""An engine as a process, and a plain connection to its command socket."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from reconciler.linux import links, netlink
from tests.patience import PATIENCE

SETTINGS: dict[str, Any] = {
    "ac_name": "SERVER",
    "local_ip": "10.214.2.100",
    "pools": [{"name": "default", "start": "10.214.2.101", "size": 64}],
    "dns_servers": ["8.8.8.8", "8.8.4.4"],
}


class NotStartedError(Exception):
    """The engine ended before anybody could speak to it: its last words, and its ``status`` (a signal's
    number below 0).
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"the engine ended with {status}: {words}")
        self.status = status


class Engine:
    """A running engine. ``ask`` and ``receive`` speak the protocol of ``engine.messages``. ``through`` is a
    command that starts it.
    """

    def __init__(self, directory: Path, datapath: str, *through: str) -> None:
        command = [
            *through,
            sys.executable,
            "-m",
            "reconciler.engine",
            "--runtime-dir",
            str(directory),
            "--datapath",
            datapath,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n" or not self._connect(directory / "engine.sock"):
            _, words = self.process.communicate(timeout=PATIENCE)
            raise NotStartedError(self.process.returncode, words)
        self.lines = self.socket.makefile("rb")
        self._events: list[Any] = []
        self._parts: list[Any] = []

    def _connect(self, path: Path) -> bool:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(str(path))
        except ConnectionRefusedError:  # it has just died
            self.socket.close()
            return False
        return True

    def ask(self, do: str, **arguments: Any) -> Any:
        """The answer; of one in parts, the last line."""
        self.send({"id": 1, "do": do, **arguments})
        while "ok" not in (line := self._read()) and "error" not in line:
            (self._events if "event" in line else self._parts).append(line)
        return line

    def observe(self, since: dict[str, Any] | None = None) -> dict[str, Any]:
        """Everything that it shows, or what has changed."""
        self._parts.clear()
        seen = dict(self.ask("observe", since=since)["ok"])
        parts = [line["part"] for line in self._parts]
        users = {name: user for part in parts for name, user in part["users"].items()}
        several = {kind: [one for part in parts for one in part[kind]] for kind in ("sessions", "gone")}
        return seen | {"users": users} | several

    def send(self, message: object) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> Any:
        """The next event, or the answer to what was sent."""
        return self._events.pop(0) if self._events else self._read()

    def _read(self) -> Any:
        return json.loads(self.lines.readline())

    def serve(self, *names: str) -> None:
        """Set it up as the lab's site."""
        users = [entry(name) for name in names]
        for answer in (
            self.ask("configure", generation=1, settings=SETTINGS),
            self.ask("users", generation=1, put=users, remove=[]),
            self.ask("listen", generation=1, interface="eth0"),
        ):
            assert "error" not in answer, answer

    def lead(self) -> None:
        """Give the device our address and route the pool to it, as the reconciler would."""
        hello = self.ask("hello")["ok"]
        links.assign(hello["device"], SETTINGS["local_ip"], 32)
        netlink.add_route("10.214.2.0/24", hello["device"], hello["via"])

    def sessions(self) -> list[dict[str, Any]]:
        return list(self.observe()["sessions"])

    def last_words(self) -> str:
        """What the process, which has ended, has said of it."""
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def die(self, how: signal.Signals) -> None:
        """End the process alone, by a signal."""
        self.process.send_signal(how)
        self._part()

    def end(self) -> None:
        """End every session and the process; without its interface it has nobody to wait for."""
        if self.process.poll() is None:
            self.ask("unlisten", generation=9, interface="eth0")
            self.ask("shutdown")
        self._part()

    def _part(self) -> None:
        self.lines.close()
        self.socket.close()
        with self.process as process:
            process.wait(PATIENCE)


def entry(name: str, password: str = "test", **more: Any) -> dict[str, Any]:
    default = {"address": None, "enabled": True, "sessions": 1, "fingerprint": f"print of {password}"}
    return {"name": name, "secret": {"kind": "password", "text": password}, **default, **more}
