"""Waiting until everything is as the file says, or until a certain commit is in force.

A commit is in force when the last pass read its very content and found nothing left to do. Judged after each
pass, and now and then in between: a commit that leaves the file as it is needs no pass. It must not know who
waits, nor how.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from reconciler.loop.conditions import Board
from reconciler.loop.reading.revision import Revision, followed
from reconciler.loop.report import Report, Settled
from reconciler.site.escape import visible

LONGEST = 30.0
"""Seconds that one question may wait; who has more patience asks again."""

_LOOK_AGAIN = 0.25
_DIGITS = 7

Outcome = Literal["met", "held", "invalid", "pending"]


class Awaited(NamedTuple):
    """How it stands with what is waited for, and in one line what is still missing."""

    outcome: Outcome
    message: str


def judge(report: Report | None, where: Revision | None, commit: str | None) -> Awaited:
    """``where`` is the revision of what the pass read; ``commit`` a commit's name or how it begins, None for
    whatever the file says. A file that is held or invalid is an outcome: waiting longer changes nothing,
    until somebody releases or mends it.
    """
    if report is None:
        return Awaited("pending", "nothing was looked at yet")
    if commit is not None and (missing := _other(report, where, commit)):
        return Awaited("pending", missing)
    if report.intake.doubtful:
        return Awaited("pending", "the file is being written")
    source = report.intake.source
    if source.wanted is None:
        return Awaited("invalid", source.problem)
    if report.held is not None:
        return Awaited("held", f"the guard holds it: {report.held.message}")
    if isinstance(report.end, Settled):
        return Awaited("met", "")
    return Awaited("pending", report.end.message)


def wait(
    board: Board,
    stale: Report | None,
    ask: Callable[[Report | None], Revision | None],
    commit: str | None,
    patience: float,
) -> Awaited:
    """Wait up to ``patience`` seconds for an outcome. ``stale`` is a report of before the question: what was
    saved since may not be in it. ``ask`` tells the revision of what a pass read.
    """
    deadline = time.monotonic() + min(patience, LONGEST)
    while True:
        report, left = board.report, deadline - time.monotonic()
        if report is not stale or left <= 0:
            found = judge(report, ask(report) if commit else None, commit)
            if found.outcome != "pending" or left <= 0:
                return found
        board.await_pass(report, min(left, _LOOK_AGAIN if commit else left))


def _other(report: Report, where: Revision | None, commit: str) -> str:
    """Why what was read is not that commit's; empty when it is."""
    if where is None:
        path = followed(report.intake.source.path)
        ask = f"`git -C {visible(str(path.parent))} log`"
        return f"git does not tell which commit the file is of: {ask} as the daemon's user says why"
    if where.commit.startswith(commit.lower()) and not where.dirty:
        return ""
    state = " and modified" if where.dirty else ""
    return f"the file is of commit {where.commit[:_DIGITS]}{state}"
