"""Descriptors and memory of the concentrator's processes, once a second: do they grow?

Judged on the longest life of each kind of process, without its first quarter: the median of that time's
second half against that of its first. It must not know what happens meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

MEMORY_SHARE = 0.10
MEMORY_FLOOR = 16 << 10
"""Tolerated growth of memory: a tenth, and 16 MiB (in KiB) for what is bounded but not yet full: the log of
events, and the plans that were shown last.
"""
DESCRIPTORS = 4
"""Tolerated growth of the least number of descriptors: who asks just now has one."""
SETTLING = 0.25


class Sample(NamedTuple):
    """Open descriptors, and anonymous memory in KiB."""

    descriptors: int
    memory: int


class Growth(NamedTuple):
    """Two halves of a life: the least number of descriptors and the median memory of each."""

    seconds: int
    descriptors: tuple[int, int]
    memory: tuple[int, int]

    @property
    def flat(self) -> bool:
        return (
            self.descriptors[1] <= self.descriptors[0] + DESCRIPTORS
            and self.memory[1] <= self.memory[0] * (1 + MEMORY_SHARE) + MEMORY_FLOOR
        )


class Watch(threading.Thread):
    """Looks at ``processes()``, by kind, until closed."""

    def __init__(self, processes: Callable[[], dict[str, int]]) -> None:
        super().__init__(name="watch", daemon=True)
        self._processes = processes
        self._lives: dict[tuple[str, int], list[Sample]] = {}
        self._closing = threading.Event()

    def run(self) -> None:
        while not self._closing.wait(1.0):
            for kind, pid in self._processes().items():
                with suppress(OSError):
                    self._lives.setdefault((kind, pid), []).append(sample(pid))

    def close(self) -> None:
        self._closing.set()
        self.join()

    def growth(self) -> dict[str, Growth]:
        """How each kind of process has grown in its longest life."""
        longest: dict[str, list[Sample]] = {}
        for (kind, _), life in self._lives.items():
            longest[kind] = max(longest.get(kind, []), life, key=len)
        return {kind: judged(life) for kind, life in sorted(longest.items())}


def judged(life: list[Sample]) -> Growth:
    """The two halves of a life, as it was once it had settled."""
    settled = life[int(len(life) * SETTLING) :]
    middle = len(settled) // 2
    first, second = settled[:middle] or settled, settled[middle:]
    return Growth(
        len(life),
        (min(one.descriptors for one in first), min(one.descriptors for one in second)),
        (round(median(one.memory for one in first)), round(median(one.memory for one in second))),
    )


def sample(pid: int) -> Sample:
    """One look. Raises ``OSError`` when the process is gone."""
    status = Path(f"/proc/{pid}/status").read_text()
    memory = next((line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")), "0")
    return Sample(len(list(Path(f"/proc/{pid}/fd").iterdir())), int(memory))
