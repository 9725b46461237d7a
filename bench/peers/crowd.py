"""A crowd of subscribers outside the guest, at the other end of its cable: as persistent as real ones, and of
no cost to the guest's processor.

A request that is not acknowledged is sent again after as long as pppd waits; the rest is ``subscribers``'.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Final, Self

from bench.load import Generator
from bench.subscribers import Street

RESTART: Final = 3.0
"""Seconds of RFC 1661's restart timer, as pppd has it."""
DISCOVERY: Final = 5.0
"""Seconds after which pppd repeats a PADI or PADR."""

_ACKS: Final = (b"\xc0\x21\x02", b"\x80\x21\x02")
_REQUEST: Final = 1


@dataclass(frozen=True, slots=True)
class Rush:
    """How many of a crowd got in, in how many seconds, and what each one's set-up took, sorted."""

    up: int
    seconds: float
    took: list[float]

    @property
    def rate(self) -> float:
        """Set-ups per second."""
        return self.up / self.seconds


class Persistent(Street):
    """Subscribers by CHAP who ask again."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: dict[int, tuple[float, bytes]] = {}

    def dial(self, number: int, now: float) -> bytes:
        frame = super().dial(number, now)
        self._asked[number] = (now + DISCOVERY, frame)
        return frame

    def receive(self, frame: bytes, now: float) -> list[bytes]:
        answers = super().receive(frame, now)
        number = int.from_bytes(frame[3:6], "big")
        if frame[20:23] in _ACKS:
            self._asked.pop(number, None)
        for answer in answers:
            if answer[13] == 0x63:
                self._asked[number] = (now + DISCOVERY, answer)
            elif answer[22] == _REQUEST:
                self._asked[number] = (now + RESTART, answer)
        return answers

    def again(self, now: float) -> Iterator[bytes]:
        """What was asked too long ago."""
        for number, (due, frame) in list(self._asked.items()):
            if number in self.open:
                del self._asked[number]
            elif due <= now:
                self._asked[number] = (now + (DISCOVERY if frame[13] == 0x63 else RESTART), frame)
                yield frame


class Crowd(Generator):
    """The crowd and its sockets on ``interface``."""

    def __init__(self, interface: str) -> None:
        super().__init__(interface, "chap")
        self.street: Persistent = Persistent()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets:
            sock.close()

    def rush(self, numbers: range, window: int, within: float) -> Rush:
        """Have these subscribers dial in, ``window`` at a time, for at most so many seconds."""
        street, began = self.street, monotonic()
        waiting, busy = iter(numbers), set[int]()
        while (now := monotonic()) < began + within:
            for number in islice(waiting, window - len(busy)):
                busy.add(number)
                self.send(street.dial(number, now))
            self.pump(0.05)
            for frame in street.again(monotonic()):
                self.send(frame)
            busy = {number for number in busy if number not in street.open}
            if not busy and numbers[-1] in street.begun:
                break
        seconds = monotonic() - began
        took = sorted(street.took[number] for number in numbers if number in street.open)
        return Rush(len(took), seconds, took)
