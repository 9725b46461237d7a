"""A Debian with systemd of its own, made of packages alone, in namespaces: what is installed in it is
installed as an administrator would.

Its network is the namespace in which it was booted. It knows nothing of what it is used for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.generate import ROOT
from tests.patience import PATIENCE

RELEASE = "bookworm"
PACKAGES = ("iproute2", "nftables", "procps", "python3", "systemd")
NEEDS = ("debootstrap", "unshare", "nsenter")

_BOOT = Path(__file__).with_name("boot.sh")


def make_base(directory: Path) -> None:
    """Install the smallest Debian that has systemd and Python into ``directory``, unless it is there."""
    if directory.exists():
        return
    hurried = [sys.executable, "-m", "tests.root.without", "sync"]
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".debian-") as made:
        root = Path(made) / "root"
        argv = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", RELEASE, str(root)]
        done = subprocess.run(
            [*hurried, *argv],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise MachineError(f"debootstrap failed:\n{done.stdout[-2000:]}")
        root.rename(directory)


class MachineError(Exception):
    """The machine could not be made, or did not start, or a command in it failed."""


class Machine:
    """The machine, for the time of a ``with`` block. Boots in the network namespace of the caller."""

    def __init__(self, base: Path) -> None:
        self._base = base

    def __enter__(self) -> Self:
        self._changes = Path(tempfile.mkdtemp(prefix="machine-"))
        argv = ["unshare", "--mount", str(_BOOT), str(self._base), str(self._changes)]
        with (self._changes / "boot.log").open("w") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self._init = self._wait_for_init()
        except MachineError:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self._init, 9)
        self._process.wait()
        shutil.rmtree(self._changes)

    def run(self, *words: str, stdin: str = "", expect: int | None = 0, timeout: float = 2 * PATIENCE) -> str:
        """What a command prints on both streams. Raises :class:`MachineError` for another exit status than
        ``expect``, unless that is None.
        """
        done = subprocess.run(
            [*_inside(self._init), *words],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"},
            check=False,
        )
        if expect is not None and done.returncode != expect:
            raise MachineError(f"{' '.join(words)} gave {done.returncode}:\n{done.stdout}")
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """A file of this content, as an editor that renames would save it."""
        self.run("sh", "-c", f"mkdir -p $(dirname {path}); cat >{path}.new; mv {path}.new {path}", stdin=text)

    def copy(self, source: Path, path: str) -> None:
        """A file of the host's, brought in."""
        shutil.copyfile(source, f"/proc/{self._init}/root{path}")

    def property(self, unit: str, name: str) -> str:
        """One of a unit's properties, as systemd writes it."""
        return self.run("systemctl", "show", "--value", "--property", name, unit).strip()

    def _wait_for_init(self) -> int:
        """The process that is the machine's first, once all that it starts by itself has started."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            init = _descendant(self._process.pid, "systemd")
            if init and _state(init) in {"running", "degraded"}:
                return init
            time.sleep(0.05)
        raise MachineError(f"the machine did not start: {(self._changes / 'boot.log').read_text()}")


def _descendant(pid: int, name: str) -> int | None:
    """The first process of this name below ``pid``."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in map(int, children):
            if Path(f"/proc/{child}/comm").read_text().strip() == name:
                return child
            if found := _descendant(child, name):
                return found
    except FileNotFoundError:
        pass
    return None


def _inside(init: int) -> list[str]:
    return ["nsenter", "--target", str(init), "--all", "--root", "--wd"]


def _state(init: int) -> str:
    argv = [*_inside(init), "systemctl", "is-system-running"]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
