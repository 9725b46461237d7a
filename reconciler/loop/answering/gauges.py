"""What a scrape of the metrics says, from what the loop and the engine know at this moment.

Neighbours: ``metrics`` has the names and the form. It must not change anything, nor tell of one subscriber.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from reconciler import __version__
from reconciler.engine.messages import Counts
from reconciler.linux.process import Usage, usage
from reconciler.loop.conditions import Board
from reconciler.metrics import Histogram, Sample

Tally = Mapping[tuple[str, str], int]
"""How often which event, for which reason, was told of."""


def samples(board: Board, tally: Tally, engine: Counts | None, bugs: int, lasting: int) -> Iterator[Sample]:
    """``engine`` None: it does not answer. ``lasting``: how many drifts are not put back yet."""
    yield from _loop(board, tally, bugs, lasting)
    yield Sample("reconciler_engine_up", engine is not None)
    if engine is not None:
        yield from _subscribers(engine)
        yield from _interfaces(engine)
    hello = board.report.hello if board.report else None
    yield from _process("daemon", usage(os.getpid()))
    yield from _process("engine", usage(hello["pid"]) if hello else None)


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


def _subscribers(engine: Counts) -> Iterator[Sample]:
    for state, number in engine["sessions"].items():
        yield Sample("reconciler_sessions", number, (state,))
    yield Sample("reconciler_sessions_stale", engine["stale"])
    for login in engine["logins"]:
        labels = (login["method"], login["result"], login["reason"])
        yield Sample("reconciler_logins_total", login["count"], labels)
    setup = engine["setup"]
    histogram = Histogram(setup["bounds"], setup["counts"], setup["sum"])
    yield Sample("reconciler_session_setup_seconds", histogram)
    for name, reasons in (
        ("reconciler_sessions_closed_total", engine["closed"]),
        ("reconciler_dials_failed_total", engine["failed"]),
        ("reconciler_dropped_frames_total", engine["drops"]),
    ):
        for reason, count in sorted(reasons.items()):
            yield Sample(name, count, (reason,))


def _interfaces(engine: Counts) -> Iterator[Sample]:
    for name, port in sorted(engine["interfaces"].items()):
        for metric, value in (
            ("up", port["up"]),
            ("sessions", port["sessions"]),
            ("receive_bytes_total", port["rx_bytes"]),
            ("transmit_bytes_total", port["tx_bytes"]),
            ("receive_packets_total", port["rx_packets"]),
            ("transmit_packets_total", port["tx_packets"]),
        ):
            yield Sample(f"reconciler_interface_{metric}", value, (name,))


def _process(name: str, used: Usage | None) -> Iterator[Sample]:
    """Nothing of a process that has just ended."""
    if used is not None:
        yield Sample("reconciler_process_cpu_seconds_total", used.cpu, (name,))
        yield Sample("reconciler_process_resident_memory_bytes", used.memory, (name,))
        yield Sample("reconciler_process_open_fds", used.descriptors, (name,))
        yield Sample("reconciler_process_start_time_seconds", used.started, (name,))
