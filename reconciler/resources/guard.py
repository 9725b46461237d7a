"""``guard``: the limits by which the next edit is judged. Kept by us, across restarts and boots.

They are state like any other, with a place in the plan, because an edit is judged by the limits in force
before it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from reconciler.plan.change import Change
from reconciler.plan.guard import SESSIONS, USERS
from reconciler.plan.state import State
from reconciler.resources.base import Outcome, Situation

_FACT = "guard"


class Facts(Protocol):
    """What outlives the process, by name."""

    def fact(self, name: str) -> str | None: ...

    def set_fact(self, name: str, value: str) -> None: ...


class Guard:
    subjects = frozenset({USERS, SESSIONS})

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def desired(self, at: Situation) -> State:
        guard = at.wanted.site.guard
        return {USERS: guard.max_users_removed, SESSIONS: guard.max_sessions_dropped}

    def observe(self, at: Situation) -> State:  # noqa: ARG002 - asked of all alike
        kept: dict[str, str] = json.loads(self._facts.fact(_FACT) or "{}")
        return kept

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:  # noqa: ARG002 - all at once
        self._facts.set_fact(_FACT, json.dumps(self.desired(at), sort_keys=True))
        return Outcome()
