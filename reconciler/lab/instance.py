"""A reconciler of the sandbox's own: run in the concentrator's namespace, and spoken to by its command
line.

What a person would type is what is run here: ``reconciler run``, ``apply --dry-run``, ``status``,
``sessions``. It knows the concentrator by nothing but that, and the file that it edits.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.linux import netns

_READY_WITHIN = 60.0
_CONVERGES_WITHIN = 60.0
_LEAVE_WITHIN = 30.0
_POLL = 0.1

Status = dict[str, Any]


class InstanceError(Exception):
    """The daemon or a command did not do what it should; a few lines, for the person who runs the sandbox."""


class Instance:
    """``directory`` holds its site.yaml, its sockets, its state and its log."""

    def __init__(self, directory: Path, namespace: str, datapath: str = "auto") -> None:
        self.site = directory / "site.yaml"
        self.log = directory / "reconciler.log"
        self.runtime_dir = directory / "run"
        self.state_dir = directory / "state"
        self._namespace = namespace
        self._datapath = datapath
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Run the daemon and wait until everything is as the file says, unless that is not to be expected."""
        directories = ["--runtime-dir", str(self.runtime_dir), "--state-dir", str(self.state_dir)]
        leaving = ["--on-exit", "drain"]  # nothing of the data path may stay when the namespace goes
        argv = [*_RECONCILER, "run", str(self.site), *directories, "--datapath", self._datapath, *leaving]
        with self.log.open("ab") as log, netns.inside(self._namespace):
            # In a group of its own: a Ctrl-C is for us, who stop it in good order.
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
            )
        if wait:
            self.wait_for(lambda status: condition(status, "Ready"), "being ready", _READY_WITHIN)

    def stop(self) -> None:
        """Stop the daemon, and with it every session and the engine."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_LEAVE_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """Have the daemon end as in a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def save(self, text: str) -> float:
        """Save the file, as an editor does: beside it, then in its place. When, in Unix time."""
        beside = self.site.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.site)
        return time.time()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``reconciler`` with these arguments; its output and exit status are the caller's to judge."""
        argv, environment = [*_RECONCILER, *arguments], self.environment()
        with netns.inside(self._namespace):  # a plan without a daemon would read the kernel's values here
            return subprocess.run(
                argv, env=environment, capture_output=True, text=True, timeout=120, check=False
            )

    def environment(self) -> dict[str, str]:
        """What tells a ``reconciler`` that is typed which one is meant."""
        directories = {
            "RECONCILER_RUNTIME_DIR": str(self.runtime_dir),
            "RECONCILER_STATE_DIR": str(self.state_dir),
        }
        return {**os.environ, **directories, "NO_COLOR": "1"}

    def ask(self, *arguments: str) -> Any:
        """What a command says in JSON. Raises :class:`InstanceError` when it fails."""
        done = self.command(*arguments, "-o", "json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            said = f"{done.stdout}{done.stderr}".strip()
            raise InstanceError(f"`reconciler {' '.join(arguments)}` failed: {said}") from None

    def status(self) -> Status:
        return dict(self.ask("status"))

    def sessions(self) -> list[dict[str, Any]]:
        return list(self.ask("sessions"))

    def wait_for(self, fulfilled: Callable[[Status], bool], what: str, wait: float) -> Status:
        """The first status that fulfils a wish. Raises :class:`InstanceError` after ``wait`` seconds
        without.
        """
        end = time.monotonic() + wait
        last = "it did not answer"
        while time.monotonic() < end:
            if self._process is not None and self._process.poll() is not None:
                raise InstanceError(f"the reconciler ended while starting:\n{self.last_log_lines()}")
            try:
                status = self.status()
            except InstanceError as error:
                last = str(error)
            else:
                if fulfilled(status):
                    return status
                last = json.dumps(status.get("conditions"))
            time.sleep(_POLL)
        raise InstanceError(f"no sign of {what} in {wait:g} s: {last}\n{self.last_log_lines()}")

    def wait_in_force(self, text: str) -> None:
        """Wait until a text that was saved is what holds. Raises :class:`InstanceError`."""
        wanted = hashlib.sha256(text.encode()).hexdigest()

        def holds(status: Status) -> bool:
            generation = status["generation"]
            ours = status["source"]["sha256"] == wanted
            return ours and generation["desired"] == generation["applied"] and condition(status, "Ready")

        self.wait_for(holds, "the saved file being in force", _CONVERGES_WITHIN)

    def last_log_lines(self, count: int = 10) -> str:
        """The end of the daemon's log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def condition(status: Status, kind: str) -> bool:
    """Is a condition of that type true?"""
    return any(
        one["type"] == kind and one["status"] in (True, "True") for one in status.get("conditions", ())
    )


_RECONCILER = [sys.executable, "-m", "reconciler"]
