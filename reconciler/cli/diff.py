"""``reconciler diff``."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli import ask, outcome
from reconciler.cli.common import EXIT_PENDING, Common, takes_common


@click.command("diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", default="live")
@takes_common()
def command(common: Common, first: str, second: str) -> int:
    """What going from A to B does, and how the texts differ.

    A and B are generations by number (see `reconciler history`), `live` for what is there now, or `file` for
    what site.yaml says; B is `live` if not given. Passwords are held back, and so are comments. Exits with 2
    when B does something else than A, with 0 when only the words differ.
    """
    answer = ask.get(common, "/v1/diff", 60.0, **{"from": first, "to": second})
    outcome.show(common, answer, _text(answer))
    return EXIT_PENDING if answer["different"] else 0


def _text(answer: Any) -> str:
    return f"{answer['text']}\n{answer['diff'].rstrip()}\n" if answer["diff"] else str(answer["text"])
