"""The one place where a pass's report becomes conditions, and the time of the next pass.

Conditions are told when they change, not when they are looked at: a trouble that lasts is logged once.
Neighbour: ``loop.announce`` tells what the pass did. It must not know how a pass is made.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.loop.announce import announce
from reconciler.loop.keeping.course import Bearing, awaiting, paused, undone
from reconciler.loop.report import Again, Blocked, Report, Settled
from reconciler.loop.telling.events import Events
from reconciler.metrics import Histogram
from reconciler.site.escape import visible

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
TROUBLES = ("AddressInUse", "InterfaceDown", "SegmentsNotClamped", "UplinkMissing")
"""Types of the conditions that come from advice: they hinder nothing."""

log = logging.getLogger("reconciler")


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is so or not. ``since`` is when it last changed between the two, in Unix time."""

    type: str
    status: bool
    reason: str
    message: str
    since: float


class Board:
    """The conditions, as they now stand."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._conditions: dict[str, Condition] = {}
        self._blocked = 0
        self.unpredicted_drops = 0
        """How many sessions were ended by an apply whose plan had not named them."""
        self.report: Report | None = None
        """The last pass."""
        self.reloaded: float | None = None
        """When a file that had changed was last found good, in Unix time."""
        self.convergence = Histogram()
        """How long generations took until they were in force."""
        self.watching: Literal["inotify", "poll"] | None = None
        """How changes of the file are noticed."""
        self._good: str | None = None
        self._passed = threading.Condition()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return tuple(self._conditions.values())

    @property
    def ready(self) -> bool:
        """Whether everything is as the file says."""
        condition = self._conditions.get("Ready")
        return condition is not None and condition.status

    def take(self, report: Report, advice: Mapping[str, str], now: float) -> float:
        """Judge a report; gives back in how many seconds the next pass is due (infinity: nothing is).

        ``advice`` has a line for each trouble that hinders nothing, by its type.
        """
        with self._passed:
            delay = self._judge(report, advice, now)
            self._passed.notify_all()
            return delay

    def await_pass(self, seen: Report | None, timeout: float) -> None:
        """Wait up to ``timeout`` seconds until a pass was judged after the one with the report ``seen``."""
        with self._passed:
            self._passed.wait_for(lambda: self.report is not seen, timeout)

    def _judge(self, report: Report, advice: Mapping[str, str], now: float) -> float:
        self.report = report
        announce(report, self._events, now)
        self.unpredicted_drops += len(report.breaches)
        if report.newly_applied:
            self.convergence.observe(report.took)
        self._judge_source(report, now)
        self._judge_end(report, now)
        self._judge_drift(report, now)
        self._judge_guard(report, now)
        self._judge_drain(report, now)
        self._judge_journal(report, now)
        self._judge_course(report.bearing, now)
        for kind in TROUBLES:
            self._set(kind, kind in advice, kind if kind in advice else "Fine", advice.get(kind, ""), now)
        return self._delay(report)

    def broken(self, message: str, now: float) -> None:
        """A pass gave no report, by an error of our own."""
        self._set("Ready", False, "InternalError", message, now)

    def _delay(self, report: Report) -> float:
        if not isinstance(report.end, Blocked):
            self._blocked = 0
            return report.end.after if isinstance(report.end, Again) else math.inf
        pause = min(_FIRST_PAUSE * 2.0**self._blocked, _LONGEST_PAUSE)
        self._blocked = min(self._blocked + 1, 16)
        return pause if report.end.retry_in is None else report.end.retry_in

    # Conditions.

    def _judge_source(self, report: Report, now: float) -> None:
        if not report.intake.doubtful:
            source = report.intake.source
            problem, read = source.problem, source.sha256
            if problem:
                self._good = None
            elif read != self._good:
                self._good, self.reloaded = read, now
            stands = f"; generation {report.standing} stays in force" if problem and report.standing else ""
            reason = source.reason if problem else "Valid"
            self._set("SourceInvalid", bool(problem), reason, problem + stands, now)

    def _judge_end(self, report: Report, now: float) -> None:
        source = self._conditions.get("SourceInvalid")
        if source and source.status:
            self._set("Ready", False, "SourceInvalid", source.message, now)
        elif isinstance(report.end, Settled):
            self._set("Ready", True, "Converged", f"generation {report.applied} is in force", now)
        elif not report.intake.doubtful:
            self._set("Ready", False, report.end.reason, report.end.message, now)

    def _judge_drift(self, report: Report, now: float) -> None:
        lasting = [change for change in report.left.changes if change.op == "heal"] if report.left else []
        if lasting:
            more = f" (and {len(lasting) - 1} more)" if len(lasting) > 1 else ""
            message = f"{visible(lasting[0].path)} is not as it was set{more}"
            reason = "Reported" if all(change.only_reported for change in lasting) else "Drift"
            if isinstance(report.end, Again) and report.end.reason == "DriftContested":
                reason, message = "Contested", report.end.message
            self._set("Drifted", True, reason, message, now)
        elif report.healed:
            self._set("Drifted", False, "Healed", f"{visible(report.healed[0].path)} was put back", now)
        elif report.left is not None and "Drifted" not in self._conditions:
            self._set("Drifted", False, "InSync", "", now)

    def _judge_guard(self, report: Report, now: float) -> None:
        if report.held is not None:
            self._set("Held", True, "GuardExceeded", report.held.message, now)
        elif report.plan is not None:
            self._set("Held", False, "NotHeld", "", now)

    def _judge_course(self, bearing: Bearing, now: float) -> None:
        """What keeps the file from being followed."""
        pause, pending, refused = bearing.pause, bearing.pending, bearing.refused
        if pause:
            reason = "Operator" if pause.rolled_back_to is None else "RolledBack"
            self._set("Paused", True, reason, paused(pause), now)
        else:
            self._set("Paused", False, "NotPaused", "", now)
        if pending:
            self._set("Unconfirmed", True, "AwaitingConfirm", awaiting(pending), now)
        elif refused:
            self._set("Unconfirmed", True, "Undone", undone(refused), now)
        else:
            self._set("Unconfirmed", False, "NothingPending", "", now)

    def _judge_journal(self, report: Report, now: float) -> None:
        if report.live is None or report.live.engine is None:
            return
        if trouble := report.live.engine["journal_trouble"]:
            message = (
                f"the engine's journal cannot be written ({visible(trouble)}): a restart of the engine would"
                " lose what is new; see to the room and permissions of the runtime directory"
            )
            self._set("JournalFailed", True, "NotWritten", message, now)
        else:
            self._set("JournalFailed", False, "Written", "", now)

    def _judge_drain(self, report: Report, now: float) -> None:
        if report.live is None or report.live.engine is None:
            return
        if rate := report.live.engine["draining"]:
            message = f"nobody is admitted, {rate:g} sessions a second end: `reconciler drain --undo` admits"
            self._set("Draining", True, "Operator", message, now)
        else:
            self._set("Draining", False, "NotDraining", "", now)

    def _set(self, kind: str, status: bool, reason: str, message: str, now: float) -> None:
        old = self._conditions.get(kind)
        since = old.since if old and old.status == status else now
        new = self._conditions[kind] = Condition(kind, status, reason, message, since)
        if old and (old.status, old.reason, old.message) == (status, reason, message):
            return
        good = status == (kind == "Ready")
        if good and (old is None or old.status == status):
            return
        if kind == "Held":
            if old and old.status == status:
                return  # the counts move with every subscriber who comes and goes
            self._event("change_held" if status else "hold_ended", message, now)
        if kind == "SourceInvalid":
            self._event("source_invalid" if status else "source_valid", message, now)
        if reason not in _PASSING:
            log.log(
                logging.INFO if good else logging.WARNING, "%s", _sentence(new), extra={"condition": kind}
            )

    def _event(self, kind: str, reason: str, now: float) -> None:
        self._events.note(kind, reason, self.report.desired if self.report else 0, now)


_PASSING = frozenset({"SessionsEnding", "MoreToDo"})
"""Reasons not to be ready that pass by themselves: no log line for those."""


def _sentence(condition: Condition) -> str:
    if condition.status:
        return f"{condition.type}: {condition.message or condition.reason}"
    return f"not {condition.type}: {condition.message or condition.reason}"
