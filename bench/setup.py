"""How fast subscribers come in: sessions set up in a second, and how long each takes, PADI to IPCP.

The engine and the load generator have a core each if there are two. What the engine's own processor time
says is what counts: ``per core`` is what one core would do if nothing else wanted it. Where the generator
was busier than the engine the row says so.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from statistics import median
from typing import Final

from bench.report import Chart, Report, Table
from bench.world import ROOT, Load, compiled, served
from reconciler.engine.messages import AuthMethod

GOAL: Final = 8000.0
COUNTS: Final = (100, 1000, 10_000, 30_000)
METHODS: Final[tuple[AuthMethod, ...]] = ("pap", "chap", "mschapv2")
WINDOW: Final = 128
PACE: Final = 1000.0
_COLUMNS = (
    "sessions",
    "a second",
    "per core",
    "µs each",
    "p50 ms",
    "p99 ms",
    "p99 ms at 1,000/s",
    "kB each",
    "limit",
)


def run(*, quick: bool) -> Report:
    """Every method at every number of sessions, by the engine as Python and with its core compiled."""
    counts = COUNTS[:2] if quick else COUNTS
    tables: list[Table] = []
    lines: dict[str, list[tuple[float, float]]] = {}
    with compiled() as fast:
        for method, (how, code) in product(METHODS, {"": ROOT, ", compiled": fast}.items()):
            table = Table(f"{method}{how}, {WINDOW} at a time", _COLUMNS)
            for count in counts if method == "pap" else counts[:3]:
                rounds = 1 if quick or count > 10_000 else 3
                table.rows.append(_measure(method, count, rounds, code))
            tables.append(table)
            lines[method + how] = [(float(str(row[0])), float(str(row[2]))) for row in table.rows]
    chart = Chart("setup", "Sessions set up per second of one core", "sessions", "per second", lines, GOAL)
    about = (
        "Real packet sockets over a veth pair, the null data path, the journal on disk. `a second` is what"
        " was reached, `per core` what the engine's own processor time allows; `kB each` is what its memory"
        " grew by. `compiled` is the engine as the Debian package has it; otherwise it runs from source."
    )
    return Report("setup", "Set-up rate", about, tables, [chart])


def _measure(method: AuthMethod, count: int, rounds: int, code: Path) -> tuple[int | float | str | None, ...]:
    found = [_round(method, count, code) for _ in range(rounds)]
    middle = [median(values) for values in zip(*(numbers for numbers, _ in found), strict=True)]
    rate, each, p50, p99, paced, memory = middle
    generator = any(limited for _, limited in found)
    limit = "generator" if generator else "engine"
    return (count, rate, 1e6 / each, each, p50 * 1e3, p99 * 1e3, paced * 1e3, memory / 1024, limit)


def _round(method: AuthMethod, count: int, code: Path) -> tuple[tuple[float, ...], bool]:
    with served(count + 1000, method, code) as (engine, load):
        memory, cpu = engine.resident, engine.cpu
        done = load.do("dial", first=0, count=count, window=WINDOW)
        cpu = engine.cpu - cpu
        memory = engine.resident - memory
        paced = _paced(load, count)
    each = cpu / count * 1e6
    numbers = (count / done["seconds"], each, done["p50"], done["p99"], paced, memory / count)
    return numbers, bool(done["cpu"] > cpu)


def _paced(load: Load, first: int) -> float:
    """The 99th percentile when subscribers dial at a steady pace."""
    return float(load.do("dial", first=first, count=1000, rate=PACE)["p99"])
