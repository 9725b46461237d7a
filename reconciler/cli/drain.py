"""``reconciler drain``."""

from __future__ import annotations

import sys
import time

import click

from reconciler.cli import ask
from reconciler.cli.common import Common, print_data, say, takes_common
from reconciler.cli.pace import Pace

_LOOK = 0.25
"""Seconds between two looks at who is left."""


@click.command("drain")
@click.option("--rate", type=Pace(), metavar="N/s", help="So many sessions a second.  [default: 50/s]")
@click.option("--no-wait", is_flag=True, help="Begin, and do not wait until nobody is left.")
@click.option("--undo", is_flag=True, help="Admit subscribers again; whoever is still there stays.")
@takes_common()
def command(common: Common, rate: float | None, no_wait: bool, undo: bool) -> int:
    """End every session politely, a few at a time, and admit nobody meanwhile.

    Subscribers who dial in get no answer, so that another access concentrator on the line can take them. It
    stays so, also when the engine or the daemon is restarted, until `--undo`; a reboot of the machine ends
    it too.
    """
    if undo and (rate or no_wait):
        raise click.UsageError("--undo goes with neither --rate nor --no-wait")
    answer = ask.post(common, "/v1/drain", rate=rate, undo=undo or None)
    if undo:
        say(common, "subscribers are admitted again")
    elif not no_wait:
        _wait(common)
        say(common, "nobody is left; `reconciler drain --undo` admits subscribers again")
    if common.output != "text":
        print_data(common, answer, str)
    return 0


def _wait(common: Common) -> None:
    """Until nobody is left. Interrupted, it goes on without us."""
    shown = sys.stderr.isatty() and common.verbosity >= 0
    try:
        while left := len(ask.get(common, "/v1/sessions")):
            if shown:
                click.echo(f"\r{left} sessions left ", err=True, nl=False)
            time.sleep(_LOOK)
    except KeyboardInterrupt:
        say(common, "\nit goes on without this command: `reconciler status` tells, `drain --undo` stops it")
        raise
    if shown:
        click.echo("\r", err=True, nl=False)
