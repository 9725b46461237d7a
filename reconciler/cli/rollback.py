"""``reconciler rollback``."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli import ask, outcome
from reconciler.cli.common import Common, say, takes_common


@click.command("rollback")
@click.argument("number", metavar="GENERATION", type=click.IntRange(1, 10**9))
@outcome.TIMEOUT
@outcome.ALLOW_GUARD
@takes_common()
def command(common: Common, number: int, timeout: float, allow_guard: str | None) -> int:
    """Put the content of a generation in force again.

    The same guard applies as to an edit. site.yaml stays as it is, and is not followed until `reconciler
    resume`: bring it to the same content first, by the command that is printed.
    """
    answer = ask.order(
        common,
        "/v1/rollback",
        patience=timeout + 30,
        number=number,
        timeout=timeout,
        allow_guard=allow_guard,
    )
    outcome.show(common, answer, answer["text"])
    status = outcome.tell(common, answer, f"reconciler rollback {number}")
    if answer["result"] != "held":
        _say_remedy(common, answer)
    return status


def _say_remedy(common: Common, answer: Any) -> None:
    """The rest is the operator's: the file is theirs."""
    say(common, "paused: site.yaml is not followed; bring it to the same content, then resume:")
    for line in [*answer["remedy"], "reconciler resume"]:
        say(common, f"  {line}")
