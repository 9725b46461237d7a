"""The guard: may a plan go ahead by itself, or is it so large that somebody has to say so?

A function of the plan and of the state that it would change. The limits are read from that state, not from
the wish: an edit is judged by the guard in force before it, so that none can loosen its own. This module
must not know what becomes of a plan that is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypedDict

from reconciler.plan.change import Plan
from reconciler.plan.state import State, Value

FLOOR: Final = 3
"""Up to so many users, and so many sessions, always pass."""

DEFAULT: Final = "20%"
"""The limit where none was ever in force."""

USERS: Final = "guard.max_users_removed"
SESSIONS: Final = "guard.max_sessions_dropped"


_TABLE: Final = (dict, Mapping)
"""What most of 100,000 are comes first: to ask an abstract class takes longer."""


class Limit(NamedTuple):
    """At most ``number``: that many, or that many percent of the whole."""

    number: int
    percent: bool

    @classmethod
    def parse(cls, text: str) -> Limit:
        """From ``20%`` or ``20``, as the site's model has checked it."""
        return cls(int(text.removesuffix("%")), text.endswith("%"))

    def passes(self, part: int, whole: int) -> bool:
        """Whether ``part`` of ``whole`` is within the limit, or below the floor."""
        return part <= FLOOR or not self.exceeded(part, whole)

    def exceeded(self, part: int, whole: int) -> bool:
        """Whether ``part`` of ``whole`` is past the limit, whatever the floor."""
        most = self.number * whole if self.percent else self.number * 100
        return part * 100 > most

    def __str__(self) -> str:
        return f"{self.number} %" if self.percent else str(self.number)


class UsersView(TypedDict):
    """Users who could log in and no longer can."""

    removed: int
    known: int
    """How many could log in before."""
    limit: str
    """As in the site file: a number, or a percentage."""


class SessionsView(TypedDict):
    """Sessions that the plan ends. Null: they could not be seen."""

    dropped: int | None
    live: int | None
    limit: str


class VerdictView(TypedDict):
    """What the guard says to a plan."""

    verdict: Literal["ok", "held"]
    users: UsersView
    sessions: SessionsView


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard found. ``users`` could log in before, ``sessions`` were live before; None: they could
    not be seen. ``stands``: the plan is the rest of what was let through before, and is not judged again.
    """

    users_removed: int
    users: int
    sessions_dropped: int
    sessions: int | None
    max_users: Limit
    max_sessions: Limit
    stands: bool = False

    @property
    def held(self) -> bool:
        """Whether the plan is past a limit, and is judged by it."""
        return not self.stands and not (
            self.max_users.passes(self.users_removed, self.users)
            and self.max_sessions.passes(self.sessions_dropped, self.sessions or 0)
        )

    @property
    def said(self) -> str:
        """The verdict in words, and the floor if that alone lets it pass, as the counts do not show."""
        if self.stands:
            return "let through before"
        over = self.max_users.exceeded(self.users_removed, self.users)
        over = over or self.max_sessions.exceeded(self.sessions_dropped, self.sessions or 0)
        return f"{self.word}, since up to {FLOOR} always pass" if over and not self.held else self.word

    @property
    def word(self) -> Literal["ok", "held"]:
        return "held" if self.held else "ok"

    @property
    def counts(self) -> str:
        """``revokes 1 of 120 users (limit 20 %), drops 1 of 214 sessions (limit 20 %)``"""
        users = f"revokes {self.users_removed} of {self.users} users (limit {self.max_users})"
        if self.sessions is None:
            return f"{users}, sessions not seen"
        return (
            f"{users}, drops {self.sessions_dropped} of {self.sessions} sessions (limit {self.max_sessions})"
        )

    @property
    def line(self) -> str:
        """The verdict as a plan's note."""
        return f"guard: {self.counts}: {self.said}"

    @property
    def line_let_through(self) -> str:
        """The same beside a plan that was carried out: past a limit, somebody had released it."""
        return f"{self.line}, and released" if self.held else self.line

    def as_json(self) -> VerdictView:
        """A JSON-ready object."""
        return {
            "verdict": self.word,
            "users": {"removed": self.users_removed, "known": self.users, "limit": _written(self.max_users)},
            "sessions": {
                "dropped": None if self.sessions is None else self.sessions_dropped,
                "live": self.sessions,
                "limit": _written(self.max_sessions),
            },
        }


def judge(plan: Plan, actual: State) -> Verdict:
    """Judge ``plan``, which would change ``actual``. A user is removed who could log in and no longer can."""
    removed = sum(
        _may_log_in(change.before) and not _may_log_in(change.after)
        for change in plan.changes
        if change.path.startswith("users.")
    )
    return Verdict(
        users_removed=removed,
        users=sum(_may_log_in(value) for path, value in actual.items() if path.startswith("users.")),
        sessions_dropped=len(plan.dropped),
        sessions=plan.live,
        max_users=Limit.parse(str(actual.get(USERS, DEFAULT))),
        max_sessions=Limit.parse(str(actual.get(SESSIONS, DEFAULT))),
    )


def same_or_milder(plan: Plan, shown: Plan) -> bool:
    """Whether ``plan`` makes the same changes as ``shown`` and ends no session that ``shown`` did not name.

    What merely drifted does not count: it is put back in any case.
    """
    unnamed = {session.key for session in plan.dropped} - {session.key for session in shown.dropped}
    return not unnamed and _meant(plan) == _meant(shown)


def _meant(plan: Plan) -> dict[str, tuple[Value | None, Value | None]]:
    return {change.path: (change.before, change.after) for change in plan.changes if change.op != "heal"}


def _may_log_in(user: Value | None) -> bool:
    return isinstance(user, _TABLE) and user.get("enabled") is not False


def _written(limit: Limit) -> str:
    return f"{limit.number}%" if limit.percent else str(limit.number)
