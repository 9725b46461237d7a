"""A line in virtual time: frames lost, late, doubled and overtaken as a seed says, and no waiting.

Endpoints are anything with `receive(frame, now)`, `tick(now)` and `deadline()`. Every frame that one sends
reaches all the others, as on a switch that floods: endpoints filter by address. Time jumps to what is next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from random import Random
from typing import NamedTuple, Protocol


class Endpoint(Protocol):
    def receive(self, frame: bytes, now: float) -> list[bytes]: ...
    def tick(self, now: float) -> list[bytes]: ...
    def deadline(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Faults:
    """What the line does to frames: probabilities from 0 to 1, times in seconds."""

    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    """How likely a frame is to be held back for up to `overtaken`, so that later ones pass it."""
    overtaken: float = 0.05
    delay: float = 0.001


class Sent(NamedTuple):
    """One frame as it was put on the line, whether or not it arrived."""

    time: float
    sender: Endpoint
    frame: bytes


class Line:
    """The line, its clock (`now`) and the record of what was sent (`sent`). Set `faults` at any time."""

    def __init__(self, *endpoints: Endpoint, faults: Faults | None = None, seed: int = 0) -> None:
        self.endpoints = list(endpoints)
        self.faults = faults or Faults()
        self.seed = seed
        self.now = 0.0
        self.sent: list[Sent] = []
        self._random = Random(seed)
        self._flying: list[tuple[float, int, Endpoint, bytes]] = []
        self._count = 0

    def put(self, sender: Endpoint, frames: Iterable[bytes]) -> None:
        """`sender` says these now: what `dial`, `hangup` and the like return."""
        for frame in frames:
            self.sent.append(Sent(self.now, sender, frame))
            for endpoint in self.endpoints:
                if endpoint is not sender:
                    self._fly(endpoint, frame)

    def run(self, seconds: float) -> None:
        """Let this much time pass."""
        end = self.now + seconds
        self._advance(end, lambda: False)
        self.now = end

    def run_until(self, done: Callable[[], bool], within: float) -> None:
        """Go on until `done()`. Fails, saying the seed, if it is not so after `within` seconds."""
        end = self.now + within
        self._advance(end, done)
        assert done(), f"not done after {within} s of virtual time (seed {self.seed}, {self.faults})"

    def _advance(self, end: float, done: Callable[[], bool]) -> None:
        still = 0
        while not done():
            time, step = self._next()
            if time > end:
                return
            still = still + 1 if time <= self.now else 0
            assert still < 1000, f"an endpoint's deadline does not move on (seed {self.seed})"
            self.now = max(self.now, time)
            step()

    def _next(self) -> tuple[float, Callable[[], None]]:
        best: tuple[float, Callable[[], None]] = (float("inf"), lambda: None)
        if self._flying:
            best = (self._flying[0][0], self._land)
        for endpoint in self.endpoints:
            deadline = endpoint.deadline()
            if deadline is not None and deadline < best[0]:
                best = (deadline, partial(self._tick, endpoint))
        return best

    def _tick(self, endpoint: Endpoint) -> None:
        self.put(endpoint, endpoint.tick(self.now))

    def _land(self) -> None:
        _, _, endpoint, frame = heappop(self._flying)
        self.put(endpoint, endpoint.receive(frame, self.now))

    def _fly(self, to: Endpoint, frame: bytes) -> None:
        faults, random = self.faults, self._random
        if random.random() < faults.loss:
            return
        copies = 2 if random.random() < faults.duplicate else 1
        for _ in range(copies):
            delay = faults.delay
            if random.random() < faults.reorder:
                delay += random.uniform(0, faults.overtaken)
            self._count += 1
            heappush(self._flying, (self.now + delay, self._count, to, frame))
