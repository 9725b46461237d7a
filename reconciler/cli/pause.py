"""``reconciler pause``."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli import ask
from reconciler.cli.common import Common, Seconds, print_data, say, takes_common


@click.command("pause")
@click.option(
    "--for",
    "seconds",
    type=Seconds(days=366),
    metavar="DURATION",
    help="How long: 90s, 30m, 2h, 3d.  [default: until `reconciler resume`]",
)
@click.option("--reason", default="", help="Why; `status` tells it to everybody who wonders.")
@takes_common()
def command(common: Common, seconds: float | None, reason: str) -> None:
    """Do not follow site.yaml for a while: edits wait.

    What is in force is kept true meanwhile, drift is put back, and `reconciler apply` still applies. A pause
    outlives a restart; one that runs out ends by itself.
    """
    answer = ask.order(common, "/v1/pause", reason=reason or None, **({"for": seconds} if seconds else {}))
    print_data(common, answer, lambda: _text(answer["pause"]))
    say(common, "next: reconciler resume")


def _text(pause: Any) -> str:
    until = f"until {pause['until']}" if pause["until"] else "until somebody resumes"
    return f"paused {until}: site.yaml is not followed\n"
