"""``reconciler lab``: hands over to the sandbox, which is a program of its own."""

from __future__ import annotations

import importlib.util
import os
import sys

import click

from reconciler.cli.common import Failure


@click.command("lab", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """A sandbox of network namespaces, with subscribers who dial in."""
    if importlib.util.find_spec("reconciler.lab.__main__") is None:
        raise Failure("the lab is not installed here: it is part of the source checkout")
    os.execv(sys.executable, [sys.executable, "-m", "reconciler.lab", *arguments])  # noqa: S606
