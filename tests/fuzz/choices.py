"""A string of octets read as a series of choices: the same octets always mean the same story.

Fuzzers hand over octets; what they find is kept as a file and told again from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """Reads ``data`` from its start. Behind its end every choice is the first one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def __bool__(self) -> bool:
        """Whether anything is left to choose from."""
        return self._place < len(self._data)

    def octets(self, count: int) -> bytes:
        """Up to so many octets as they are."""
        taken = self._data[self._place : self._place + count]
        self._place += count
        return taken

    def number(self, below: int) -> int:
        """From 0 up to, but not including, ``below``."""
        width = 1 if below <= 0x100 else 2
        return int.from_bytes(self.octets(width), "big") % below

    def pick(self, things: Sequence[T]) -> T:
        """One of these."""
        return things[self.number(len(things))]
