"""A reconciler's process in the test's own namespace, with the real engine and the real kernel."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.control.client import Client, NoDaemonError
from reconciler.engine.messages import Hello
from reconciler.resources.engine import EngineClient, NoEngineError, ProtocolError
from tests.patience import PATIENCE

SITE = """\
version: 1
interface: eth0
ac_name: SERVER
local_ip: 10.214.2.100
pool_start: 10.214.2.104
pool_size: 8
forwarding: {ip_forward: true, proxy_arp: true}
users:
  theo: one
  pablo: {password: two, ip: 10.214.9.9}
"""


class Box:
    """A runtime directory with whatever runs in it. Without a hint, a pass comes only once an hour."""

    def __init__(self, directory: Path, site: str = SITE) -> None:
        self.directory = directory
        self.site = directory / "site.yaml"
        self.site.write_text(site)
        self.log = directory / "log"
        self.client = Client(directory / "run")
        self.engine = EngineClient(directory / "run")
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(
        self, *arguments: str, prefix: tuple[str, ...] = (), home: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """``home``: where Python finds the program, if not here."""
        command = [*prefix, sys.executable, "-m", "reconciler", "run", str(self.site), "--interval", "3600"]
        command += [
            "--runtime-dir",
            str(self.directory / "run"),
            "--state-dir",
            str(self.directory / "state"),
        ]
        with self.log.open("ab") as log:
            process = subprocess.Popen([*command, *arguments], stderr=log, stdin=subprocess.DEVNULL, cwd=home)
        self.processes.append(process)
        return process

    def until(self, fulfilled: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The first status that fulfils a wish."""
        deadline = time.monotonic() + PATIENCE
        status: dict[str, Any] = {}
        while time.monotonic() < deadline:
            try:
                status = self.client.get("/v1/status")
            except NoDaemonError:
                status = {}
            if status and fulfilled(status):
                return status
            time.sleep(0.02)
        raise AssertionError(f"{what} did not come: {status}\n{self.log.read_text()}")

    def ready(self) -> dict[str, Any]:
        return self.until(lambda status: condition(status, "Ready")[0], "Ready")

    def edit(self, text: str) -> None:
        beside = self.site.with_suffix(".new")
        beside.write_text(text)
        beside.rename(self.site)

    def finish(self, process: subprocess.Popen[bytes]) -> int:
        process.terminate()
        return process.wait(PATIENCE)

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        try:
            pid = self._hello()["pid"]
            seen = self.engine.observe(traffic=False)
            for interface in seen["listeners"]:  # without one it has nobody to wait for
                self.engine.unlisten(seen["generation"], interface)
            self.engine.shutdown()
        except NoEngineError:
            return
        finally:
            self.engine.close()
        wait_for_end(pid)

    def _hello(self) -> Hello:
        try:
            return self.engine.hello()
        except ProtocolError as other:
            return other.hello


def condition(status: dict[str, Any], kind: str) -> tuple[bool, str, str]:
    for one in status.get("conditions", ()):
        if one["type"] == kind:
            return one["status"], one["reason"], one["message"]
    return False, "", ""


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} does not end")
