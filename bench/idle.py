"""What sessions cost that only stay: processor time and memory with an LCP echo every 30 seconds, and how
long a search for garbage holds the engine up.
"""

from __future__ import annotations

from typing import Final

from bench.report import Report, Table
from bench.world import served

COUNTS: Final = (1000, 10_000, 30_000)
SECONDS: Final = 60.0


def run(*, quick: bool) -> Report:
    """With so many sessions each."""
    columns = ("sessions", "CPU %", "µs an echo", "echoes/s", "MB", "kB each", "longest answer ms")
    table = Table("An echo every 30 s", columns)
    for count in COUNTS[:1] if quick else COUNTS:
        table.rows.append(_measure(count, 10.0 if quick else SECONDS))
    about = (
        "`CPU %` is of one core. `longest answer` is the worst of a thousand echoes that a subscriber asked"
        " for meanwhile, so any pause of the engine is in it: a search for garbage, the journal, a long turn."
    )
    return Report("idle", "Idle cost", about, [table])


def _measure(count: int, seconds: float) -> tuple[int | float, ...]:
    with served(count) as (engine, load):
        empty = engine.resident
        load.do("dial", first=0, count=count, window=128)
        memory = engine.resident
        load.do("idle", seconds=5.0)
        cpu = engine.cpu
        done = load.do("idle", seconds=seconds)
        cpu = engine.cpu - cpu
        asked = load.do("echo", number=0, seconds=10.0, every=0.01)
    echoes = max(done["echoes"], 1)
    return (
        count,
        100 * cpu / seconds,
        1e6 * cpu / echoes,
        echoes / seconds,
        memory / 2**20,
        (memory - empty) / count / 1024,
        1e3 * max(asked["took"]),
    )
