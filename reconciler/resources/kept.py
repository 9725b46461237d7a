"""What a subject has that is kept by us alone, across restarts and boots: neither engine nor kernel has it.

It is state like any other, so that an edit of it makes a generation and shows in the plan.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from reconciler.plan.change import Change
from reconciler.plan.state import State
from reconciler.resources.base import Outcome, Situation


class Facts(Protocol):
    """What outlives the process, by name."""

    def fact(self, name: str) -> str | None: ...

    def set_fact(self, name: str, value: str) -> None: ...


class Kept(ABC):
    """``name`` is the fact's."""

    name: str
    subjects: frozenset[str]

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    @abstractmethod
    def desired(self, at: Situation) -> State: ...

    def observe(self, at: Situation) -> State:  # noqa: ARG002 - asked of all alike
        kept: dict[str, str] = json.loads(self._facts.fact(self.name) or "{}")
        return kept

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:  # noqa: ARG002 - all at once
        self._facts.set_fact(self.name, json.dumps(self.desired(at), sort_keys=True))
        return Outcome()
