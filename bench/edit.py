"""From the rename of an edited file to the engine serving the change, and what an echo takes meanwhile.

A whole ``reconciler run`` with its engine in a namespace, a subscriber that is up and asks for echoes all the
time, and a file of so many users. The moment of effect is when the engine itself shows the new fingerprint.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final, Self, TypeAlias

from bench.report import Chart, Report, Table
from bench.subscribers import PASSWORD, user
from bench.world import Cable, Load, Process
from reconciler.control.client import Client, NoDaemonError
from reconciler.linux import netns
from reconciler.resources.engine import EngineClient

COUNTS: Final = (100, 1000, 10_000, 100_000)
GOAL_MS: Final = 150.0
ROUNDS: Final = 5
Edit: TypeAlias = tuple[float, float]

_COLUMNS = (
    "users",
    "one changed ms",
    "its CPU ms",
    "all changed ms",
    "nothing changed ms",
    "echo p99 ms",
    "echo max ms",
)


def run(*, quick: bool) -> Report:
    """With so many users each."""
    table = Table("Edit to effect", _COLUMNS)
    commands = Table("Commands, start to end", ("users", "apply --dry-run ms", "validate ms"))
    for count in COUNTS[:2] if quick else COUNTS:
        with _Site(count) as site:
            table.rows.append(site.measure(2 if quick else ROUNDS))
            commands.rows.append((count, *site.commands()))
    lines = {
        "one changed": [(float(str(row[0])), float(str(row[1]))) for row in table.rows],
        "its CPU": [(float(str(row[0])), float(str(row[2]))) for row in table.rows],
        "echo p99": [(float(str(row[0])), float(str(row[5]))) for row in table.rows],
    }
    chart = Chart("edit", "Edit to effect", "users", "ms", lines, GOAL_MS)
    about = (
        "From the rename of the file to the engine serving the change, and how much of that the reconciler"
        " computed: what is left when nothing else wants the processor. A third of the users are one line, a"
        " third two, a third have a fixed address. `nothing changed` is a file saved with another comment,"
        " until the daemon has seen it. Echoes are asked for every 2 ms by a subscriber during the edits of"
        " one user and of all."
    )
    return Report("edit", "Edit to effect", about, [table, commands], [chart])


def text(count: int, changed: dict[int, str], comment: str = "") -> str:
    """A site of so many users; ``changed`` have another password."""
    lines = [
        f"# {comment}",
        "version: 1",
        "interface: eth0",
        "local_ip: 10.0.0.1",
        "pool_start: 10.1.0.0",
        "pool_size: 200000",
        "dns_servers: [10.0.0.1, 10.0.0.2]",
        "auth: [pap]",
        "limits: {padi_per_mac: 0, padi_total: 0, half_open: 0, failed_logins: 0}",
        "guard: {max_users_removed: 100%, max_sessions_dropped: 100%}",
        "users:",
    ]
    for number in range(count):
        name, password = user(number), changed.get(number, PASSWORD.decode())
        if number % 3 == 0:
            lines.append(f"  {name}: '{password}'")
        else:
            lines += [f"  {name}:", f"    password: '{password}'"]
        if number % 3 == 2:
            lines.append(f"    ip: 10.{32 + number // 65536}.{number // 256 % 256}.{number % 256}")
    return "\n".join(lines) + "\n"


class _Site:
    """A daemon that serves a file of ``count`` users, and a subscriber, for the time of a ``with`` block."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._directory = tempfile.TemporaryDirectory(prefix="bench-")
        root = Path(self._directory.name)
        self._file, self._run, self._state = root / "site.yaml", root / "run", root / "state"
        self._changed: dict[int, str] = {}
        self._edits = 0
        self._pause = 0.005 + count / 200_000  # to show so many users takes the engine a while

    def __enter__(self) -> Self:
        self._cable = Cable().__enter__()
        self._load = Load(self._cable)
        self._file.write_text(text(self._count, {}))
        options = ["--runtime-dir", str(self._run), "--state-dir", str(self._state), "--datapath", "null"]
        argv = ["-m", "reconciler", "run", str(self._file), *options]
        self._daemon = Process(self._cable.here, argv, stderr=subprocess.DEVNULL)
        self._engine, self._client = EngineClient(self._run), Client(self._run)
        self._until(self._ready, 900.0)
        self._load.do("dial", first=0, count=1)
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()
        self._load.end(signal.SIGKILL)
        for process in netns.processes(self._cable.here):
            os.kill(process, signal.SIGKILL)
        self._daemon.end(signal.SIGKILL)
        self._cable.__exit__()
        self._directory.cleanup()

    def measure(self, rounds: int) -> tuple[int | float, ...]:
        """Medians of so many edits, each once everything is settled again."""
        echoes: list[float] = []
        one = [self._echoing(lambda: self._edit({self._middle()}), echoes) for _ in range(rounds)]
        everybody = set(range(1, self._count))
        every = [
            self._echoing(lambda: self._edit(everybody), echoes)
            for _ in range(1 if self._count > 5000 else 2)
        ]
        nothing = [self._comment() for _ in range(rounds)]
        echoes.sort()
        return (
            self._count,
            1e3 * median(took for took, _ in one),
            1e3 * median(spent for _, spent in one),
            1e3 * median(took for took, _ in every),
            1e3 * median(nothing),
            1e3 * echoes[len(echoes) * 99 // 100],
            1e3 * echoes[-1],
        )

    def commands(self) -> tuple[float, float]:
        """How long the commands take that only ask."""
        where = ["--runtime-dir", str(self._run), "--state-dir", str(self._state)]
        return (
            self._command("apply", str(self._file), "--dry-run", *where),
            self._command("validate", str(self._file)),
        )

    def _command(self, *arguments: str) -> float:
        began = time.monotonic()
        with Process(
            self._cable.here, ["-m", "reconciler", *arguments], stdout=subprocess.DEVNULL
        ) as command:
            command.end(signal.SIGCONT)  # changes nothing, and waits
        return 1e3 * (time.monotonic() - began)

    def _echoing(self, edit: Callable[[], Edit], echoes: list[float]) -> Edit:
        seconds = 2.0 + self._count / 8000
        self._load.begin("echo", number=0, seconds=seconds, every=0.002)
        done = edit()
        echoes += self._load.answer()["took"]
        return done

    def _edit(self, numbers: set[int]) -> Edit:
        """Change these users' passwords; seconds until the engine shows the last one changed, and how many of
        them the reconciler computed.
        """
        self._edits += 1
        last = user(max(numbers))
        before = self._engine.observe()
        was = before["users"][last]["fingerprint"]
        self._changed |= dict.fromkeys(numbers, f"changed {self._edits}")
        spent = self._daemon.cpu
        saved = self._save(text(self._count, self._changed))
        seen = before
        while seen["users"][last]["fingerprint"] == was:
            time.sleep(0.002)
            seen = self._engine.observe(seen, traffic=False)
        done = time.monotonic() - saved, self._daemon.cpu - spent
        self._settled()
        return done

    def _comment(self) -> float:
        """Save another comment; seconds until the daemon has read it and found nothing to do."""
        self._edits += 1
        passes = self._status()["source"]["sha256"]
        saved = self._save(text(self._count, self._changed, f"edit {self._edits}"))
        self._until(lambda: bool(self._status()["source"]["sha256"] != passes), 60.0)
        return time.monotonic() - saved

    def _save(self, content: str) -> float:
        beside = self._file.with_suffix(".new")
        beside.write_text(content)
        moment = time.monotonic()
        beside.replace(self._file)
        return moment

    def _middle(self) -> int:
        return self._count // 2 + self._edits

    def _settled(self) -> None:
        self._until(self._ready, 300.0)

    def _ready(self) -> bool:
        status = self._status()
        ready = [c["status"] for c in status["conditions"] if c["type"] == "Ready"]
        return (
            ready in ([True], ["True"]) and status["generation"]["desired"] == status["generation"]["applied"]
        )

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = self._client.get("/v1/status")
        return status

    def _until(self, fulfilled: Callable[[], bool], patience: float) -> None:
        end = time.monotonic() + patience
        while True:
            try:
                if fulfilled():
                    return
            except NoDaemonError:
                pass
            if time.monotonic() > end:
                raise TimeoutError("the daemon did not get there")
            time.sleep(self._pause)
