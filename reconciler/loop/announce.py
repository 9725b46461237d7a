"""What a pass did, as log lines and events: changes, failures, drift, and sessions that nobody had named.

Neighbour: ``loop.conditions`` says what stands since. It must not remember anything.
"""

from __future__ import annotations

import logging

from reconciler.loop.report import Report
from reconciler.loop.telling.events import Events
from reconciler.plan.change import Plan
from reconciler.plan.state import Value
from reconciler.plan.words import moment
from reconciler.site.escape import visible

_TOLD = 20
"""So many changes of one pass are logged one by one."""

_SIGN = {"add": "+", "remove": "-", "update": "~"}

log = logging.getLogger("reconciler")


def announce(report: Report, events: Events, now: float) -> None:
    """Tell of a pass. ``now`` is Unix time."""
    if report.plan and report.left is not None:
        _log_done(report.plan, report.left, report.desired)
    for failure in report.failures:
        log.debug("%s: %s", visible(failure.path), failure.message)
    _announce_drift(report, events, now)
    _announce_breaches(report, events, now)
    if report.newly_applied:
        events.note("generation_applied", f"generation {report.applied}", report.desired, now)
        log.info("generation %d is in force", report.applied, extra={"generation": report.applied})


def _announce_drift(report: Report, events: Events, now: float) -> None:
    for entry in report.drifted:
        found = f"{visible(entry.path)} is {_shown(entry.found)}, not {_shown(entry.wanted)}"
        log.warning("drift: %s", found, extra={"path": entry.path})
        events.note("drift_found", found, report.desired, now)
    for entry in report.healed:
        log.info("drift: %s was put back", visible(entry.path), extra={"path": entry.path})
        events.note("drift_healed", visible(entry.path), report.desired, now)


def _announce_breaches(report: Report, events: Events, now: float) -> None:
    for breach in report.breaches:
        session = breach.session
        name = visible(session["user"] or "without a login")
        who = f"session 0x{session['id']:04x} {name} on {session['interface']} ({session['mac']})"
        seen, missed = map(moment, breach.between)
        what = f"{who} ended though no plan named it: {breach.why}; seen {seen}, missed {missed}"
        log.error("%s", what)
        events.note("unpredicted_drop", what, report.desired, now)


def _log_done(plan: Plan, left: Plan, generation: int) -> None:
    undone = {change.path for change in left.changes}
    changes = [change for change in plan.changes if change.op != "heal" and change.path not in undone]
    for change in changes[:_TOLD]:
        fields = {"generation": generation, "op": change.op, "path": change.path}
        log.info("generation %d: %s %s", generation, _SIGN[change.op], visible(change.path), extra=fields)
    if len(changes) > _TOLD:
        log.info("generation %d: ... and %d more changes", generation, len(changes) - _TOLD)


def _shown(value: Value | None) -> str:
    if value is None:
        return "missing"
    return str(int(value)) if isinstance(value, bool) else visible(str(value))
