"""The gap when the engine is killed: how long a subscriber's echoes go unanswered, and what is lost.

SIGKILL, and another engine at once, as the supervisor does it; a subscriber asks every millisecond, and a
stream of packets goes through sessions and back all the while. No session may be lost.
"""

from __future__ import annotations

import signal
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from bench.report import Chart, Report, Table
from bench.stream import AFTERWARDS, PORT
from bench.world import SETTINGS, Cable, Engine, Load, Worker
from reconciler.engine.messages import SessionView
from reconciler.linux import interface, links, netlink, netns

COUNTS: Final = (1, 1000, 10_000, 30_000)
PATHS: Final = ("ebpf", "tun")
EVERY: Final = 0.001
STREAMS: Final = 16
"""Sessions, at most, through which packets go."""
POOL: Final = "10.1.0.0/16"
_SECONDS: Final = 4.0
_COLUMNS: Final = (
    "sessions",
    "data path",
    "gap ms",
    "its CPU ms",
    "echoes lost",
    "sessions lost",
    "packets sent",
    "lost up",
    "lost down",
)


class Round(NamedTuple):
    """What one kill came to."""

    gap: float
    cpu: float
    echoes: int
    sessions: int
    sent: int
    up: int
    down: int


def run(*, quick: bool) -> Report:
    """With so many sessions each."""
    table = Table("SIGKILL of the engine", _COLUMNS)
    lines: dict[str, list[tuple[float, float]]] = {}
    for count in COUNTS[:2] if quick else COUNTS:
        for path in PATHS:
            rounds = [_measure(count, path) for _ in range(1 if quick or count > 5000 else 3)]
            middle = [median(values) for values in zip(*(one[:4] for one in rounds), strict=True)]
            worst = [max(values) for values in zip(*(one[4:] for one in rounds), strict=True)]
            table.rows.append((count, path, *middle, *worst))
            lines.setdefault(f"gap, {path}", []).append((count, middle[0]))
    chart = Chart("restart", "Time without an answer after SIGKILL", "sessions", "ms", lines)
    about = (
        "From the kill to the first echo that is answered again, a new process's start and the reading of the"
        " journal included, and how much of that the new process computed. Packets of subscribers pass"
        " meanwhile, carried by the kernel or by a process that stays: one a millisecond goes through up to"
        f" {STREAMS} sessions and is answered from beyond the data path; `lost` is what did not arrive there,"
        " and what did not come back. Of several rounds that is the worst, the others the median."
    )
    return Report("restart", "Restart gap", about, [table], [chart])


def _measure(count: int, path: str) -> Round:
    seconds = _SECONDS + count / 4000
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Cable() as cable, Load(cable) as load:
        directory = Path(name)
        with (
            Engine(cable, directory, path) as engine,
            Worker(cable.there, ["-m", "bench.stream", "near", "eth0"]) as near,
        ):
            engine.set_up(count)
            _route(cable, engine)
            load.do("dial", first=0, count=count, window=128)
            lines = _lines(cable, engine.client.observe()["sessions"][:STREAMS])
            with Worker(cable.here, ["-m", "bench.stream", "far", SETTINGS["local_ip"], str(PORT)]) as far:
                far.do("answer", seconds=0.0)  # it listens
                far.begin("answer", seconds=seconds + 2 * AFTERWARDS)
                load.begin("echo", number=0, seconds=seconds, every=EVERY)
                near.begin("stream", lines=lines, to=SETTINGS["local_ip"], seconds=seconds, every=EVERY)
                time.sleep(0.5)
                killed = time.monotonic()
                engine.end(signal.SIGKILL)
                with Engine(cable, directory, path) as successor:
                    spent = successor.cpu
                    asked, sent, arrived = load.answer(), near.answer(), far.answer()
                    live = len(successor.client.observe()["sessions"])
                    successor.client.shutdown()
                    successor.wait()  # it takes the data path away
    answered = sorted(at + took for at, took in zip(asked["asked"], asked["took"], strict=True))
    gap = max(later - earlier for earlier, later in pairwise(answered) if later > killed)
    return Round(
        gap=1e3 * gap,
        cpu=1e3 * spent,
        echoes=asked["lost"],
        sessions=count - live,
        sent=sent["sent"],
        up=sent["sent"] - arrived["arrived"],
        down=arrived["arrived"] - sent["back"],
    )


def _route(cable: Cable, engine: Engine) -> None:
    """Have the data path's device lead to subscribers, as the reconciler does it."""
    hello = engine.client.hello()
    device = hello["device"]
    assert device is not None
    with netns.inside(cable.here):
        links.bring(device, up=True)
        links.assign(device, SETTINGS["local_ip"], 32)
        netlink.add_route(POOL, device, hello["via"])


def _lines(cable: Cable, sessions: list[SessionView]) -> list[list[Any]]:
    """These sessions, as ``stream`` wants to know them."""
    with netns.inside(cable.here):
        ours = interface.read("eth0").mac.hex()
    return [[ours, one["mac"].replace(":", ""), one["id"], one["address"]] for one in sessions]
