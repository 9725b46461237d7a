"""``guard``: the limits by which the next edit is judged: an edit, by the limits in force before it."""

from __future__ import annotations

from reconciler.plan.guard import SESSIONS, USERS
from reconciler.plan.state import State
from reconciler.resources.base import Situation
from reconciler.resources.kept import Kept


class Guard(Kept):
    name = "guard"
    subjects = frozenset({USERS, SESSIONS})

    def desired(self, at: Situation) -> State:
        guard = at.wanted.site.guard
        return {USERS: guard.max_users_removed, SESSIONS: guard.max_sessions_dropped}
