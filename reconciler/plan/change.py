"""What a plan is made of: changes, each with its reason to be feared or not.

Built by ``plan.diff``, shown by ``plan.render``, carried out by the loop. This module must not know how
changes are found or performed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reconciler.plan.state import SessionRef, State, Value
from reconciler.site.impact import Impact
from reconciler.site.place import Place

Op = Literal["add", "remove", "update", "heal"]


@dataclass(frozen=True, slots=True)
class Change:
    """One path that is to get another value.

    ``before`` or ``after`` is None when the path does not exist on that side. ``impact`` is the worst that
    befalls a live session named here; when live sessions could not be seen, the worst that could. ``keeps``
    names what the ``later`` sessions go on with until they reconnect. ``where`` is the declaration in the
    site file, None when there is none (any more). ``op`` is ``heal`` when the site did not change but the
    machine did; ``only_reported`` when the operator chose not to have that put back.
    """

    op: Op
    path: str
    before: Value | None
    after: Value | None
    impact: Impact
    dropped: tuple[SessionRef, ...] = ()
    later: tuple[SessionRef, ...] = ()
    keeps: tuple[str, ...] = ()
    where: Place | None = None
    reason: str = ""
    only_reported: bool = False

    @property
    def sessions(self) -> tuple[SessionRef, ...]:
        """Every live session that the change touches, the dropped ones first."""
        return self.dropped + self.later


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over a plan. A session that several changes touch counts once, by the worst of them."""

    users_added: int
    users_updated: int
    users_removed: int
    settings: int
    """Changes of anything else that is declared, in either direction."""
    kernel: int
    """Addresses and routes that come or go because something declared has changed."""
    drift: int
    """Changes with op ``heal``, which none of the others counts."""
    dropped: int
    later: int
    live: int | None
    """Sessions that were live when the plan was made; None: nobody could say."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What must change to turn the observed state into the desired one.

    ``base_generation`` is the live generation it was made against. ``served`` are the interfaces that are
    served now. ``live`` is the number of live sessions, None when they could not be seen.
    """

    changes: tuple[Change, ...]
    base_generation: int
    live: int | None
    served: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def dropped(self) -> tuple[SessionRef, ...]:
        """The sessions that the plan ends, each once."""
        return _distinct(session for change in self.changes for session in change.dropped)

    @property
    def later(self) -> tuple[SessionRef, ...]:
        """The sessions that keep something old until they reconnect, each once; none of them is dropped."""
        ended = {session.key for session in self.dropped}
        stay = _distinct(session for change in self.changes for session in change.later)
        return tuple(session for session in stay if session.key not in ended)

    @property
    def totals(self) -> Totals:
        planned = [change for change in self.changes if change.op != "heal"]
        user_ops = [change.op for change in planned if change.path.startswith("users.")]
        kernel = sum(change.path.startswith("kernel.") for change in planned)
        return Totals(
            users_added=user_ops.count("add"),
            users_updated=user_ops.count("update"),
            users_removed=user_ops.count("remove"),
            settings=len(planned) - len(user_ops) - kernel,
            kernel=kernel,
            drift=len(self.changes) - len(planned),
            dropped=len(self.dropped),
            later=len(self.later),
            live=self.live,
        )

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that stay the same while the plan says the same about the same
        sessions.
        """
        content = [
            (c.op, c.path, c.before, c.after, [s.key for s in c.dropped], [s.key for s in c.later])
            for c in self.changes
        ]
        text = json.dumps([self.base_generation, content], sort_keys=True, default=dict)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def updated(state: State, changes: Iterable[Change]) -> dict[str, Value]:
    """The state as it is once ``changes`` are done."""
    result = dict(state)
    for change in changes:
        if change.after is None:
            result.pop(change.path, None)
        else:
            result[change.path] = change.after
    return result


def _distinct(sessions: Iterable[SessionRef]) -> tuple[SessionRef, ...]:
    return tuple({session.key: session for session in sessions}.values())
