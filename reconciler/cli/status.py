"""``reconciler status``."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import click

from reconciler.cli import ask
from reconciler.cli.common import (
    EXIT_ERROR,
    EXIT_HELD,
    EXIT_NO_DAEMON,
    EXIT_TIMEOUT,
    SECONDS,
    Common,
    Failure,
    duration,
    print_data,
    table,
    takes_common,
)

_POLL = 0.05
"""Seconds between two tries to reach a daemon that is not there yet."""

_AT_ONCE = 20.0
"""Seconds that one question to the daemon waits."""

_STATUS = {"met": 0, "held": EXIT_HELD, "invalid": EXIT_ERROR, "pending": EXIT_TIMEOUT}


@click.command("status")
@click.option(
    "--wait",
    is_flag=True,
    help="Wait until everything is as the file says. Exit at once with 4 when the guard holds what it says, "
    "with 1 when it is invalid.",
)
@click.option("--commit", metavar="SHA", help="With --wait: and until the file is as in this commit.")
@click.option(
    "--timeout",
    type=SECONDS,
    default=60.0,
    show_default=True,
    help="Seconds to wait at most, or 90s, 2m.",
)
@takes_common()
def command(common: Common, wait: bool, commit: str | None, timeout: float) -> int:
    """Say which generation is wanted and which is in force, and what stands in between."""
    if commit is not None and not wait:
        raise click.UsageError("--commit goes with --wait")
    if not wait:
        answer = ask.get(common, "/v1/status")
        print_data(common, answer, lambda: _text(answer))
        return 0
    answer = _awaited(common, commit, timeout)
    print_data(common, answer, lambda: _text(answer))
    awaited = answer["awaited"]
    if awaited["outcome"] != "met":
        what = f"commit {commit} is not in force" if commit else "not everything is as the file says"
        click.echo(f"error: {what}: {awaited['message']}", err=True)
    return _STATUS[awaited["outcome"]]


def _awaited(common: Common, commit: str | None, timeout: float) -> Any:
    """The first status with an outcome, or the last before time ran out."""
    deadline = time.monotonic() + timeout
    wanted = {"commit": commit} if commit else {}
    while True:
        left = max(0.0, deadline - time.monotonic())
        try:
            wait = f"{min(left, _AT_ONCE):.3f}"
            answer = ask.get(common, "/v1/status", _AT_ONCE + 30, wait=wait, **wanted)
            if answer["awaited"]["outcome"] != "pending" or not left:
                return answer
        except Failure as failure:
            if failure.status != EXIT_NO_DAEMON or not left:
                raise
            time.sleep(min(_POLL, left))


def _text(status: Any) -> str:
    generation, source, sessions = status["generation"], status["source"], status["sessions"]
    pairs = [
        ("generation", f"{generation['applied']} in force, {generation['desired']} wanted"),
        ("source", _source(source)),
        (
            "sessions",
            "unknown" if sessions["live"] is None else f"{sessions['live']} live, {sessions['stale']} stale",
        ),
        ("data path", _datapath(status)),
    ]
    lines = "".join(f"{name:<12}{value}\n" for name, value in pairs)
    rows = [
        (one["type"], str(one["status"]), one["reason"], _ago(one["since"]), one["message"])
        for one in sorted(status["conditions"], key=_unusual_first)
    ]
    if not rows:
        return f"{lines}\nthe daemon has just begun and not looked at everything yet: ask again in a moment\n"
    lines += "\n" + table(("CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE"), rows)
    if status["drift"]:
        lines += "\n" + table(
            ("DRIFT", "FOUND", "WANTED", "STATE"), [_drift(entry) for entry in status["drift"]]
        )
    return lines


def _unusual_first(condition: Any) -> tuple[bool, bool]:
    """The one that sums up, then what is so, then what is not."""
    return condition["type"] != "Ready", not condition["status"]


def _datapath(status: Any) -> str:
    if not status["datapath"]:
        return "none"
    return f"{status['datapath']} ({status['device'] or 'no device'}): {status['datapath_choice']}"


def _source(source: Any) -> str:
    told = source["file"] or "not read yet"
    if source["commit"]:
        state = "modified" if source["dirty"] else "clean"
        told += f"  {source['branch'] or 'detached'}@{source['commit'][:7]} ({state})"
    return told + ("  polled" if source["watch"] == "poll" else "")


def _drift(entry: Any) -> tuple[str, str, str, str]:
    lasting = f"for {duration(entry['age_s'])}"
    state = f"put back {_ago(entry['healed'])} ago" if entry["healed"] else lasting
    return entry["path"], _value(entry["from"]), _value(entry["to"]), state


def _value(value: Any) -> str:
    if value is None:
        return "missing"
    if value == {}:  # a route, an address: it has nothing but its name
        return "present"
    return str(int(value)) if isinstance(value, bool) else str(value)


def _ago(moment: str) -> str:
    return duration(time.time() - datetime.fromisoformat(moment).timestamp())
