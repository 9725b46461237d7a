"""What is new in a mapping, where most of its 100,000 entries are what they were.

An entry is taken to be what it was if its value is the very same object. To look at that the interpreter
carries out no line of ours, unlike comparing: it is what an edit of one user costs for all the others. No
value may be None. It must not know what the mappings hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import is_not
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K")


class Difference(NamedTuple, Generic[K]):
    """``new`` are the keys that have another value than before, or had none; ``gone`` those that have none
    any more. Each in their mapping's order.
    """

    new: list[K]
    gone: list[K]


def difference(before: Mapping[K, object], after: Mapping[K, object]) -> Difference[K]:
    """What became of ``before``."""
    if before is after:
        return Difference([], [])
    if len(before) == len(after) and list(before) == list(after):  # after most edits
        return Difference(list(compress(after, map(is_not, after.values(), before.values()))), [])
    new = list(compress(after, map(is_not, after.values(), map(before.get, after))))
    return Difference(new, [key for key in before if key not in after])
