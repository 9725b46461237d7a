"""``reconciler status``."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import click

from reconciler.cli import ask
from reconciler.cli.common import (
    EXIT_NO_DAEMON,
    EXIT_TIMEOUT,
    Common,
    Failure,
    duration,
    print_data,
    table,
    takes_common,
)

_POLL = 0.1


@click.command("status")
@click.option("--wait", is_flag=True, help="Wait until everything is as the file says.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 86400),
    default=60.0,
    show_default=True,
    help="Seconds to wait at most.",
)
@takes_common()
def command(common: Common, wait: bool, timeout: float) -> int:
    """Say which generation is wanted and which is in force, and what stands in between."""
    answer = _awaited(common, timeout) if wait else ask.get(common, "/v1/status")
    print_data(common, answer, lambda: _text(answer))
    return 0 if not wait or _ready(answer) else EXIT_TIMEOUT


def _awaited(common: Common, timeout: float) -> Any:
    """The first status that is ready, or the last before time ran out."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            answer = ask.get(common, "/v1/status")
            if _ready(answer) or time.monotonic() > deadline:
                return answer
        except Failure as failure:
            if failure.status != EXIT_NO_DAEMON or time.monotonic() > deadline:
                raise
        time.sleep(_POLL)


def _ready(status: Any) -> bool:
    return any(one["type"] == "Ready" and one["status"] for one in status["conditions"])


def _text(status: Any) -> str:
    generation, source, sessions = status["generation"], status["source"], status["sessions"]
    pairs = [
        ("generation", f"{generation['applied']} in force, {generation['desired']} wanted"),
        ("source", _source(source)),
        (
            "sessions",
            "unknown" if sessions["live"] is None else f"{sessions['live']} live, {sessions['stale']} stale",
        ),
        ("data path", f"{status['datapath'] or 'none'} ({status['device'] or 'no device'})"),
    ]
    lines = "".join(f"{name:<12}{value}\n" for name, value in pairs)
    rows = [
        (one["type"], str(one["status"]), one["reason"], _ago(one["since"]), one["message"])
        for one in status["conditions"]
    ]
    lines += "\n" + table(("CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE"), rows)
    if status["drift"]:
        lines += "\n" + table(
            ("DRIFT", "FOUND", "WANTED", "STATE"), [_drift(entry) for entry in status["drift"]]
        )
    return lines


def _source(source: Any) -> str:
    if not source["commit"]:
        return str(source["file"])
    state = "modified" if source["dirty"] else "clean"
    return f"{source['file']}  {source['branch'] or 'detached'}@{source['commit'][:7]} ({state})"


def _drift(entry: Any) -> tuple[str, str, str, str]:
    lasting = f"for {duration(entry['age_s'])}"
    state = f"put back {_ago(entry['healed'])} ago" if entry["healed"] else lasting
    return entry["path"], _value(entry["from"]), _value(entry["to"]), state


def _value(value: Any) -> str:
    if value is None:
        return "missing"
    return str(int(value)) if isinstance(value, bool) else str(value)


def _ago(moment: str) -> str:
    return duration(time.time() - datetime.fromisoformat(moment).timestamp())
