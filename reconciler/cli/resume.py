"""``reconciler resume``."""

from __future__ import annotations

import click

from reconciler.cli import ask
from reconciler.cli.common import Common, print_data, say, takes_common


@click.command("resume")
@takes_common()
def command(common: Common) -> None:
    """Follow site.yaml again: what it says by now is applied at once, past the guard.

    `reconciler diff live file` says beforehand what that would be.
    """
    answer = ask.order(common, "/v1/resume")
    said = "site.yaml is followed again" if answer["was"] else "nothing was paused: site.yaml is followed"
    print_data(common, answer, lambda: f"{said}\n")
    if answer["was"]:
        say(common, "next: reconciler status --wait")
