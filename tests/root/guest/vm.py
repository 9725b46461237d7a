"""A guest with a kernel that has PPP: user-mode Linux, an ordinary process whose root is the host's file
system.

Any Debian program that is installed here runs in it, so a real pppd can dial where this machine's own
kernel has no PPP. Its network card is a tap device. It answers whether a real pppd likes what it is told,
not how many of them: it has one slow processor.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from reconciler.linux import netns
from tests.patience import PATIENCE

KERNEL = "/usr/bin/linux.uml"
NEEDS = (KERNEL, "/usr/sbin/pppd", "/usr/bin/busybox", "/usr/sbin/modprobe", "/usr/bin/ip")
TRUNK = "vec0"
"""The guest's network card."""
_WIDEST = 1508
"""Octets that it takes: a PPPoE frame with a packet of 1500."""

_INIT = Path(__file__).with_name("init.sh")
_DONE = re.compile(rb"done (\d+) (\d+)")


class Done(NamedTuple):
    """How a job in the guest ended, and all it wrote."""

    status: int
    output: str


class GuestError(Exception):
    """The guest did not start, fell silent or ended."""


class Guest:
    """The guest, for the time of a ``with`` block, on ``tap`` in ``namespace``; ``memory`` in MiB."""

    def __init__(self, namespace: str, tap: str, memory: int = 160) -> None:
        self._namespace = namespace
        self._tap = tap
        self._memory = memory
        self._numbers = itertools.count(1)
        self._ready = self._over = False
        self._ended: dict[int, int] = {}
        self._console: list[str] = []
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        self._share = Path(tempfile.mkdtemp(prefix="guest-"))
        argv = [
            KERNEL,
            f"mem={self._memory}M",
            "quiet",
            "root=/dev/root",
            "rootfstype=hostfs",
            "rootflags=/",
            "ro",
            f"init={_INIT}",
            f"share={self._share}",
            f"uml_dir={self._share}/",
            "con=null",
            "con0=fd:0,fd:1",
            "ssl=null",
            f"{TRUNK}:transport=tap,ifname={self._tap},mtu={_WIDEST}",
        ]
        with netns.inside(self._namespace):
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._ready or self._over, 3 * PATIENCE)
            if not self._ready:
                raise GuestError("the guest did not start:\n" + "\n".join(self._console[-20:]))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """The kernel's process, which leads a session of all that there is of the guest."""
        return self._process.pid

    def start(self, script: str) -> int:
        """Start a shell script; :meth:`finish` waits for it."""
        number = next(self._numbers)
        (self._share / str(number)).write_text(script)
        assert self._process.stdin is not None
        self._process.stdin.write(b"%d\n" % number)
        self._process.stdin.flush()
        return number

    def finish(self, number: int, wait: float = 3 * PATIENCE) -> Done:
        """How a started script ended."""
        with self._changed:
            self._changed.wait_for(lambda: number in self._ended or self._over, wait)
            if number not in self._ended:
                why = "it ended" if self._over else f"nothing in {wait:g} s"
                raise GuestError(f"the guest's job {number}: {why}\n" + "\n".join(self._console[-20:]))
            status = self._ended.pop(number)
        return Done(status, (self._share / f"{number}.out").read_text(errors="replace"))

    def run(self, script: str, wait: float = 3 * PATIENCE) -> Done:
        """Run a shell script to its end."""
        return self.finish(self.start(script), wait)

    def write(self, name: str, text: str) -> str:
        """Put a file into the shared directory; its path in the guest."""
        (self._share / name).write_text(text)
        return f"/mnt/{name}"

    def program(self, name: str, script: str) -> str:
        """Put a shell script into the shared directory, to be run by others; its path in the guest."""
        path = self.write(name, f"#!/bin/sh\n{script}")
        (self._share / name).chmod(0o755)
        return path

    def _read(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = raw.strip()
            done = _DONE.fullmatch(line)
            with self._changed:
                if done:
                    self._ended[int(done[1])] = int(done[2])
                else:
                    self._ready = self._ready or line == b"ready"
                    self._console.append(line.decode(errors="replace"))
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # the console's end is the guest's
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        shutil.rmtree(self._share, ignore_errors=True)
