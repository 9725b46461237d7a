"""The root of the command line: finds commands, and turns what goes wrong into a line and an exit status.

Commands are imported when they are asked for, so that ``status`` does not pay for what ``apply`` needs. A
command's function gives back its exit status. Neighbours: ``cli.common`` has what commands share.
"""

from __future__ import annotations

import errno
import importlib
import keyword
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from reconciler import __version__
from reconciler.cli.common import (
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_STATUSES,
    EXIT_USAGE,
    Common,
    Done,
    Failure,
    common_options,
    merged,
)
from reconciler.garbage import uncollected

COMMANDS = {
    "run": "Watch the file and keep the box and the engine equal to it.",
    "apply": "One pass now: plan, apply, wait until converged.",
    "fmt": "Put site files into one layout; comments and values stay.",
    "validate": "Check a site file: no root, no daemon, no network.",
    "status": "Generations, conditions with their reasons, drift.",
    "history": "The generations that were put in force; what each changed.",
    "diff": "What going from one generation to another does.",
    "rollback": "Put a generation in force again, and pause.",
    "pause": "Do not follow site.yaml for a while.",
    "resume": "Follow site.yaml again.",
    "confirm": "Keep what `apply --confirm-within` put in force.",
    "sessions": "Live subscribers; end sessions.",
    "drain": "Admit nobody, and end every session at a pace; or undo that.",
    "events": "What happened: who, when, why.",
    "why": "Why a subscriber is not online: the last tries, in plain words.",
    "trace": "The live PPPoE exchange, decoded; also into a pcap file.",
    "user": "Declare users in site.yaml, change them, take them out.",
    "secret": "Encrypt passwords in site.yaml, and for whom.",
    "probe": "Dial in as a subscriber would, and say how it went.",
    "import": "A site.yaml out of pppoe-server's files, or accel-ppp's.",
    "explain": "What a key of site.yaml is, and what changing it does.",
    "schema": "JSON schemas: of site.yaml, and of machine output.",
    "completion": "Lets Tab complete commands and options in a shell.",
    "lab": "A sandbox of network namespaces with subscribers.",
}
"""Every command with its one line, so that help needs no import."""


_EPILOG = "\b\nExit status:\n" + "".join(f"  {number:<5}{text}\n" for number, text in EXIT_STATUSES.items())


class Root(click.Group):
    """Commands by name, each from its module ``reconciler.cli.<name>`` (``import_``: Python has the word)."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the base's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        with uncollected():
            command: click.Command = importlib.import_module(f"reconciler.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, COMMANDS, 1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"No such command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
    epilog=_EPILOG,
)
@click.version_option(__version__, message="%(version)s")
@common_options(("text", "json", "ndjson"), environment=True)
@click.pass_context
def root(context: click.Context, /, **given: object) -> None:
    """A PPPoE access concentrator that is run like code: one site.yaml, kept true."""
    context.obj = merged(Common(), given)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit with its status."""
    status = invoke(arguments)
    if isinstance(status, Done):
        os._exit(status)
    sys.exit(status)


def invoke(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives back its exit status. Everything but data goes to standard error."""
    try:
        status = root.main(
            args=None if arguments is None else list(arguments), prog_name="reconciler", standalone_mode=False
        )
        sys.stdout.flush()
    except click.UsageError as error:
        error.show()
        return EXIT_USAGE
    except click.ClickException as error:
        click.echo(f"error: {error.format_message()}", err=True)
        return error.status if isinstance(error, Failure) else error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _output_is_over()  # whoever read it has had enough; there is nobody to tell
        return EXIT_ERROR
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _output_is_over()
        click.echo(f"error: cannot write the output: {error.strerror}", err=True)
        return EXIT_ERROR
    return status if isinstance(status, int) else 0


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def _output_is_over() -> None:
    """What is still in a buffer goes nowhere, so that Python does not stumble over it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
