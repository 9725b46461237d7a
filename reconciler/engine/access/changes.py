"""What has changed lately, so that who knows an earlier moment can be told of the rest alone.

Neighbours: ``users`` and ``table`` note, ``observing`` asks. It must not know what a change was.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

K = TypeVar("K", bound="Hashable")

REMEMBERED: Final = 1 << 16
"""Changes that are remembered: 30,000 logins and the rest of their set-up."""


class Changes(Generic[K]):
    """Names of things, by when they changed. ``count`` is the present moment: it grows with each change."""

    __slots__ = ("_names", "count")

    def __init__(self) -> None:
        self.count = 0
        self._names: deque[K] = deque(maxlen=REMEMBERED)

    def note(self, name: K) -> None:
        """The thing of this name has changed, come, or gone."""
        self.count += 1
        self._names.append(name)

    def since(self, count: int) -> list[K] | None:
        """What has changed after the moment ``count``, each once; None if that is not known (any more)."""
        number = self.count - count
        if not 0 <= number <= len(self._names):
            return None
        return list(dict.fromkeys(islice(reversed(self._names), number)))
