"""``reconciler confirm``."""

from __future__ import annotations

import click

from reconciler.cli import ask
from reconciler.cli.common import EXIT_ERROR, Common, print_data, takes_common


@click.command("confirm")
@click.option("--undo", is_flag=True, help="Do not wait until the time is over: go back now.")
@takes_common()
def command(common: Common, undo: bool) -> int:
    """Keep the change that `apply --confirm-within` put in force.

    Exits with 1 when nothing waits to be confirmed: it may have been undone already.
    """
    answer = ask.order(common, "/v1/confirm", patience=630.0, undo=undo or None)
    was = answer["was"]
    if was is None:
        click.echo("error: nothing waits to be confirmed: see `reconciler history`", err=True)
        return EXIT_ERROR
    done = f"is undone: generation {answer['generation']} is in force" if undo else "stays in force"
    print_data(common, answer, lambda: f"generation {was['generation']} {done}\n")
    return 0
