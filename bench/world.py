"""Two network namespaces joined by a cable, with a real engine in one and a load generator in the other.

Everything it makes goes with the ``with`` block. Neighbours: the benchmarks. It measures nothing itself but
what a process has used.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from bench.subscribers import PASSWORD, user
from reconciler.engine.messages import AuthMethod, Settings, UserEntry
from reconciler.linux import links, netns
from reconciler.resources.engine import EngineClient

ROOT: Final = Path(__file__).parents[1]
BATCH: Final = 500
SETTINGS: Final[Settings] = {
    "ac_name": "BENCH",
    "local_ip": "10.0.0.1",
    "pools": [{"name": "default", "start": "10.1.0.0", "size": 200_000}],
    "dns_servers": ["10.0.0.1", "10.0.0.2"],
    "limits": {"padi_per_mac": 0, "padi_total": 0, "half_open": 0, "failed_logins": 0, "lockout": 60},
}


_OURS: Final = re.compile(r"rcb-(\d+)-")


def sweep() -> None:
    """Remove what a benchmark left behind that was killed: its namespaces, and who still lives in them."""
    for name in netns.names():
        ours = _OURS.match(name)
        if ours and not Path(f"/proc/{ours[1]}").exists():
            for process in netns.processes(name):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            netns.remove(name)


class Cable:
    """Namespaces ``here``, where the server is, and ``there``, each with an ``eth0``."""

    def __init__(self) -> None:
        self.here = f"rcb-{os.getpid()}-{os.urandom(2).hex()}"
        self.there = f"{self.here}-b"
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            for name in (self.here, self.there):
                netns.create(name)
                undo.callback(netns.remove, name)
            with netns.inside(self.here):
                links.bring("lo", up=True)
                links.create_veth("eth0", "eth0", self.there)
                links.bring("eth0", up=True)
            with netns.inside(self.there):
                links.bring("eth0", up=True)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()


class Process:
    """A child in a namespace that is not there any more after the ``with`` block."""

    def __init__(self, namespace: str, argv: Sequence[str], **more: Any) -> None:
        with netns.inside(namespace):
            self._child = subprocess.Popen([sys.executable, *argv], **more)

    @property
    def pid(self) -> int:
        return self._child.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    def wait(self) -> None:
        """Wait until it has ended by itself."""
        self._child.wait()

    def end(self, how: signal.Signals) -> None:
        """End it by a signal, if it has not ended."""
        if self._child.poll() is None:
            self._child.send_signal(how)
        self._child.wait()

    @property
    def cpu(self) -> float:
        """Seconds of processor that its first thread has used, in which all of the engine's work is done."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1e9

    @property
    def resident(self) -> int:
        """Octets of memory that it has now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Engine(Process):
    """A running engine, of the ``reconciler`` in ``code``, and a client of it."""

    def __init__(self, cable: Cable, directory: Path, datapath: str = "null", code: Path = ROOT) -> None:
        options = ["--runtime-dir", str(directory), "--datapath", datapath]
        argv = ["-m", "reconciler.engine", *options]
        quiet = subprocess.DEVNULL
        super().__init__(cable.here, argv, cwd=code, stdout=subprocess.PIPE, stderr=quiet, text=True)
        assert self._child.stdout is not None
        if self._child.stdout.readline() != "ready\n":
            raise RuntimeError("the engine did not start")
        self.client = EngineClient(directory)

    def __exit__(self, *_: object) -> None:
        self.client.close()
        super().__exit__()

    def set_up(self, users: int, method: AuthMethod = "pap", **settings: Any) -> None:
        """Make it serve ``eth0`` to so many users."""
        self.client.configure(1, {**SETTINGS, "auth": [method], **settings})  # type: ignore[typeddict-item]
        entries = [entry(number) for number in range(users)]
        for start in range(0, users, BATCH):
            self.client.users(1, entries[start : start + BATCH], [])
        self.client.listen(1, "eth0")


class Worker(Process):
    """One that takes orders on its standard input, a JSON object a line, and answers each with one."""

    def __init__(self, namespace: str, argv: Sequence[str]) -> None:
        super().__init__(namespace, argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, do: str, **arguments: Any) -> None:
        """Give an order."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._child.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Wait until the order is carried out."""
        assert self._child.stdout is not None
        done: dict[str, Any] = json.loads(self._child.stdout.readline())
        return done

    def do(self, do: str, **arguments: Any) -> dict[str, Any]:
        self.begin(do, **arguments)
        return self.answer()


class Load(Worker):
    """The load generator; each order is a method of ``load.Generator``."""

    def __init__(self, cable: Cable, method: str = "pap") -> None:
        super().__init__(cable.there, ["-m", "bench.load", "eth0", method])


def entry(number: int) -> UserEntry:
    """A user as the reconciler would declare it."""
    return {
        "name": user(number),
        "secret": {"kind": "password", "text": PASSWORD.decode()},
        "address": None,
        "enabled": True,
        "sessions": 1,
        "fingerprint": f"{number:016x}",
    }


@contextmanager
def compiled() -> Iterator[Path]:
    """A copy of the package whose engine has its core compiled, as the Debian package's has."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        shutil.copytree(ROOT / "reconciler", Path(directory, "reconciler"))
        program = (sys.executable, ROOT / "packaging/compile.py", directory)
        subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
        yield Path(directory)


@contextmanager
def served(
    users: int, method: AuthMethod = "pap", code: Path = ROOT, **settings: Any
) -> Iterator[tuple[Engine, Load]]:
    """An engine that serves so many users, and a street of them."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        Cable() as cable,
        Engine(cable, Path(directory), code=code) as engine,
        Load(cable, method) as load,
    ):
        engine.set_up(users, method, **settings)
        yield engine, load
