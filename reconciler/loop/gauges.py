"""What a scrape of the metrics says, from what the loop and the engine know at this moment.

Neighbours: ``metrics`` has the names and the form. It must not change anything, nor tell of one subscriber.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from reconciler import __version__
from reconciler.engine.messages import Observation, SessionState
from reconciler.loop.conditions import Board
from reconciler.metrics import Sample

Tally = Mapping[tuple[str, str], int]
"""How often which event, for which reason, was told of."""

_ENGINE_STATES: tuple[str, ...] = get_args(SessionState)


def samples(
    board: Board, tally: Tally, engine: Observation | None, bugs: int, lasting: int
) -> Iterator[Sample]:
    """``engine`` None: it does not answer. ``lasting``: how many drifts are not put back yet."""
    yield from _loop(board, tally, bugs, lasting)
    yield from _subscribers(tally)
    yield Sample("reconciler_engine_up", engine is not None)
    if engine is not None:
        yield from _engine(engine)


def _loop(board: Board, tally: Tally, bugs: int, lasting: int) -> Iterator[Sample]:
    report = board.report
    hello = report.hello if report else None
    versions = (__version__, hello["version"] if hello else "", hello["datapath"] if hello else "")
    yield Sample("reconciler_build_info", 1, versions)
    conditions = {condition.type: condition.status for condition in board.conditions}
    yield Sample("reconciler_config_last_reload_successful", not conditions.get("SourceInvalid", True))
    if board.reloaded is not None:
        yield Sample("reconciler_config_last_reload_success_timestamp_seconds", board.reloaded)
    yield Sample("reconciler_generation_desired", report.desired if report else 0)
    yield Sample("reconciler_generation_applied", report.applied if report else 0)
    for kind, status in conditions.items():
        yield Sample("reconciler_condition", status, (kind,))
    yield Sample("reconciler_guard_held", conditions.get("Held", False))
    yield Sample("reconciler_guard_holds_total", tally.get(("change_held", ""), 0))
    yield Sample("reconciler_drift_found_total", tally.get(("drift_found", ""), 0))
    yield Sample("reconciler_drift_healed_total", tally.get(("drift_healed", ""), 0))
    yield Sample("reconciler_drift_lasting", lasting)
    yield Sample("reconciler_unpredicted_drops_total", board.unpredicted_drops)
    yield Sample("reconciler_convergence_seconds", board.convergence)
    yield Sample("reconciler_internal_errors_total", bugs)


def _subscribers(tally: Tally) -> Iterator[Sample]:
    opened = sum(count for (kind, _), count in tally.items() if kind == "session_opened")
    yield Sample("reconciler_logins_total", opened, ("accepted", ""))
    for (kind, reason), count in sorted(tally.items()):
        match kind:
            case "login_refused":
                yield Sample("reconciler_logins_total", count, ("refused", reason))
            case "session_closed":
                yield Sample("reconciler_sessions_closed_total", count, (reason,))
            case "dial_failed":
                yield Sample("reconciler_dials_failed_total", count, (reason,))


def _engine(engine: Observation) -> Iterator[Sample]:
    for state in _ENGINE_STATES:
        number = sum(session["state"] == state for session in engine["sessions"])
        yield Sample("reconciler_sessions", number, (state,))
    live = [session for session in engine["sessions"] if session["state"] != "terminate"]
    yield Sample("reconciler_sessions_stale", sum(session["stale"] for session in live))
    for reason, count in sorted(engine["drops"].items()):
        yield Sample("reconciler_dropped_frames_total", count, (reason,))
    for name, port in sorted(engine["listeners"].items()):
        mine = [session for session in live if session["interface"] == name]
        yield Sample("reconciler_interface_up", port["up"], (name,))
        yield Sample("reconciler_interface_sessions", len(mine), (name,))
        received, sent = (sum(s["rx_bytes"] for s in mine), sum(s["tx_bytes"] for s in mine))
        yield Sample("reconciler_interface_live_received_bytes", received, (name,))
        yield Sample("reconciler_interface_live_sent_bytes", sent, (name,))
