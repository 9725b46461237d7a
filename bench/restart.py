"""The gap when the engine is killed: how long a subscriber's echoes go unanswered, and what is lost.

SIGKILL, and another engine at once, as the supervisor does it; the subscriber asks every millisecond. No
session may be lost.
"""

from __future__ import annotations

import signal
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

from bench.report import Chart, Report, Table
from bench.world import Cable, Engine, Load

COUNTS: Final = (1, 1000, 10_000, 30_000)
EVERY: Final = 0.001
_SECONDS: Final = 4.0


def run(*, quick: bool) -> Report:
    """With so many sessions each."""
    table = Table(
        "SIGKILL of the engine", ("sessions", "gap ms", "its CPU ms", "echoes lost", "sessions lost")
    )
    for count in COUNTS[:2] if quick else COUNTS:
        rounds = [_measure(count) for _ in range(1 if quick or count > 5000 else 3)]
        table.rows.append((count, *(median(values) for values in zip(*rounds, strict=True))))
    chart = Chart(
        "restart",
        "Time without an answer after SIGKILL",
        "sessions",
        "ms",
        {
            "gap": [(float(str(row[0])), float(str(row[1]))) for row in table.rows],
            "its CPU": [(float(str(row[0])), float(str(row[2]))) for row in table.rows],
        },
    )
    about = (
        "From the kill to the first echo that is answered again, a new process's start and the reading of the"
        " journal included, and how much of that the new process computed. Packets of subscribers pass"
        " meanwhile: another process, or the kernel, carries them."
    )
    return Report("restart", "Restart gap", about, [table], [chart])


def _measure(count: int) -> tuple[float, float, int, int]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Cable() as cable, Load(cable) as load:
        directory = Path(name)
        with Engine(cable, directory) as engine:
            engine.set_up(count)
            load.do("dial", first=0, count=count, window=128)
            load.begin("echo", number=0, seconds=_SECONDS + count / 4000, every=EVERY)
            time.sleep(0.5)
            killed = time.monotonic()
            engine.end(signal.SIGKILL)
            with Engine(cable, directory) as successor:
                spent = successor.cpu
                asked = load.answer()
                live = len(successor.client.observe()["sessions"])
    answered = sorted(at + took for at, took in zip(asked["asked"], asked["took"], strict=True))
    gap = max(later - earlier for earlier, later in pairwise(answered) if later > killed)
    return 1e3 * gap, 1e3 * spent, asked["lost"], count - live
