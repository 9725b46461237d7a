"""What commands share that have something put in force: their options, how a plan is shown, what is said of
the outcome, and waiting until a change is confirmed.

It must not know which order was given.
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Any

import click

from reconciler.cli import ask
from reconciler.cli.common import (
    EXIT_HELD,
    EXIT_NO_DAEMON,
    EXIT_PARTIAL,
    EXIT_TIMEOUT,
    Common,
    Failure,
    coloured,
    print_data,
    say,
)

TIMEOUT = click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=60.0,
    show_default=True,
    help="Seconds to wait until everything is settled.",
)
ALLOW_GUARD = click.option(
    "--allow-guard",
    metavar="PLAN-ID",
    help="Let exactly this plan, which the guard holds, go ahead; exit with 5 when it is another one now.",
)

_STATUS = {
    "applied": 0,
    "unchanged": 0,
    "partial": EXIT_PARTIAL,
    "held": EXIT_HELD,
    "timeout": EXIT_TIMEOUT,
}
_COLOURS = {"+": "green", "-": "red", "~": "yellow", "^": "cyan"}

_POLL = 0.2
_GRACE = 30.0
"""Seconds that a daemon may be away, beyond the time that a change is on trial."""


def show(common: Common, document: Any, text: str) -> None:
    """Print an answer with a plan in it."""
    print_data(common, document, lambda: _painted(text) if coloured() else text)


def tell(common: Common, answer: Any, again: str) -> int:
    """Say what came of it, and give back the exit status. ``again`` is the command that was given."""
    if answer["result"] == "held":
        click.echo("held: nothing of it is applied; what was in force stays so", err=True)
        say(common, release(again, answer))
    elif answer["message"]:
        click.echo(f"{answer['result']}: {answer['message']}", err=True)
    elif answer["result"] == "applied":
        say(common, f"generation {answer['generation']} is in force")
    return _STATUS[answer["result"]]


def release(again: str, answer: Any) -> str:
    """How a held plan is let through."""
    return f"next: {again} --allow-guard {answer['plan']['id']}"


def await_confirm(common: Common, generation: int) -> int:
    """Wait until a generation on trial is confirmed, or undone; gives back the exit status.

    The daemon keeps the time: it may be started anew meanwhile, and who waits may leave.
    """
    last = time.monotonic()
    patience = _GRACE
    while time.monotonic() - last < patience:
        try:
            pending = ask.get(common, "/v1/status")["confirm"]
            if pending is None or pending["generation"] != generation:
                return _concluded(common, generation)
            last = time.monotonic()
            patience = _GRACE + max(0.0, datetime.fromisoformat(pending["until"]).timestamp() - time.time())
        except Failure as failure:
            if failure.status != EXIT_NO_DAEMON:
                raise
        time.sleep(_POLL)
    raise Failure(
        f"the daemon is gone: generation {generation} is undone as soon as it is started again",
        EXIT_NO_DAEMON,
    )


def _concluded(common: Common, generation: int) -> int:
    found = ask.get(common, "/v1/history", number=str(generation))
    if found["confirmed"]:
        say(common, f"confirmed: generation {generation} stays in force")
        return 0
    click.echo(f"not confirmed: generation {generation} is undone; see `reconciler status`", err=True)
    return EXIT_TIMEOUT


def _painted(text: str) -> str:
    return re.sub(
        r"^  ([-+~^]) ",
        lambda match: f"  {click.style(match[1], fg=_COLOURS[match[1]])} ",
        text,
        flags=re.MULTILINE,
    )
