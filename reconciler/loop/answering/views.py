"""What is shown to the outside, as JSON-ready objects: status, sessions, events. Never a password.

Keys are documented and stay; times are RFC 3339 in UTC, durations seconds. It must not change anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.engine.messages import Counts, Observation, SessionView
from reconciler.loop.answering.waiting import Awaited
from reconciler.loop.conditions import Board, Condition
from reconciler.loop.drift import Entry
from reconciler.loop.keeping.course import Pause, Pending
from reconciler.loop.reading.revision import Revision
from reconciler.loop.telling.events import Event
from reconciler.plan.words import moment


def status(
    board: Board,
    drift: tuple[Entry, ...],
    revision: Revision | None,
    engine: Observation | None,
    counts: Counts | None,
    now: float,
    awaited: Awaited | None = None,
) -> dict[str, Any]:
    """``engine`` and ``counts`` None: it does not answer. ``awaited``: what somebody waited for."""
    report = board.report
    source = report.intake.source if report else None
    hello = report.hello if report else None
    states = {} if counts is None else counts["sessions"]
    live = sum(number for state, number in states.items() if state != "terminate")
    return {
        "generation": {
            "desired": report.desired if report else 0,
            "applied": report.applied if report else 0,
        },
        "source": {
            "file": str(source.path) if source else None,
            "sha256": source.sha256 if source else None,
            "commit": revision.commit if revision else None,
            "branch": revision.branch if revision else None,
            "dirty": revision.dirty if revision else None,
            "watch": board.watching,
        },
        "conditions": [_condition(condition) for condition in board.conditions],
        "pause": pause(report.bearing.pause) if report else None,
        "confirm": pending(report.bearing.pending) if report else None,
        "sessions": {
            "live": None if counts is None else live,
            "stale": None if counts is None else counts["stale"],
        },
        "draining": None if engine is None else engine["draining"],
        "interfaces": [] if engine is None else [dict(port) for port in engine["listeners"].values()],
        "datapath": hello["datapath"] if hello else None,
        "datapath_choice": hello["choice"] if hello else None,
        "device": hello["device"] if hello else None,
        "engine": {"pid": hello["pid"], "version": hello["version"]} if hello else None,
        "drift": [_drift(entry, now) for entry in drift],
        "unpredicted_drops_total": board.unpredicted_drops,
        **({"awaited": awaited._asdict()} if awaited else {}),
    }


def session(view: SessionView) -> dict[str, Any]:
    return {
        "user": view["user"],
        "address": view["address"],
        "peer": view["peer"],
        "mac": view["mac"],
        "id": view["id"],
        "interface": view["interface"],
        "state": view["state"],
        "since": moment(view["since"]),
        "uptime_s": round(view["uptime"], 3),
        "generation": view["generation"],
        "stale": view["stale"],
        "rx_bytes": view["rx_bytes"],
        "tx_bytes": view["tx_bytes"],
        "rx_packets": view["rx_packets"],
        "tx_packets": view["tx_packets"],
        "circuit_id": view["circuit_id"],
        "remote_id": view["remote_id"],
        "rate_limit": {way: rate or None for way, rate in view["rate"].items()},
    }


def pause(found: Pause | None) -> dict[str, Any] | None:
    """A pause as a JSON-ready object."""
    if found is None:
        return None
    return {
        "since": moment(found.since),
        "until": None if found.until is None else moment(found.until),
        "reason": found.reason,
        "by": found.by,
        "rolled_back_to": found.rolled_back_to,
    }


def pending(found: Pending | None) -> dict[str, Any] | None:
    """A change that waits to be confirmed, as a JSON-ready object."""
    if found is None:
        return None
    return {
        "generation": found.generation,
        "undo_to": found.undo_to,
        "until": moment(found.until),
        "by": found.by,
    }


def event(entry: Event, commit: Callable[[int], str | None]) -> dict[str, Any]:
    """``commit`` tells the commit of a generation."""
    return {**entry, "time": moment(entry["time"]), "commit": commit(entry["generation"])}


def _condition(condition: Condition) -> dict[str, Any]:
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "since": moment(condition.since),
    }


def _drift(entry: Entry, now: float) -> dict[str, Any]:
    return {
        "path": entry.path,
        "from": entry.found,
        "to": entry.wanted,
        "since": moment(entry.since),
        "age_s": round((entry.healed or now) - entry.since, 3),
        "healed": moment(entry.healed) if entry.healed else None,
        "times": entry.times,
    }
