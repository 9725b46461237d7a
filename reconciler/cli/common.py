"""What commands share: the global options, exit statuses, and the ways to print.

Options stand before the command or after it, as the hand prefers. Data goes to standard output, everything
else to standard error. It must not import what is slow.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

if TYPE_CHECKING:
    from reconciler.site.diagnostic import Diagnostic
    from reconciler.site.source import Source

EXIT_ERROR = 1
EXIT_PENDING = 2
EXIT_PARTIAL = 3
EXIT_HELD = 4
EXIT_STALE = 5
EXIT_TIMEOUT = 6
EXIT_NO_DAEMON = 7
EXIT_USAGE = 64
EXIT_INTERRUPTED = 130
EXIT_STATUSES = {
    0: "done, or in sync",
    EXIT_ERROR: "an error, an invalid file, or what a check found",
    EXIT_PENDING: "changes pending: `apply --dry-run --detailed-exitcode`, `diff`",
    EXIT_PARTIAL: "applied in part",
    EXIT_HELD: "held by the guard",
    EXIT_STALE: "the plan is not what would be done now",
    EXIT_TIMEOUT: "time ran out, or not confirmed and so undone",
    EXIT_NO_DAEMON: "no daemon answers",
    EXIT_USAGE: "wrong usage",
    EXIT_INTERRUPTED: "interrupted",
}
"""One map for all commands."""

PATH = click.Path(path_type=Path, readable=False)
"""A path as an argument. What cannot be read is said by who reads it, as an error and not as wrong usage."""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Common:
    """The global options. ``verbosity`` is -1 with ``-q`` and counts the ``-v``."""

    runtime_dir: Path = Path("/run/reconciler")
    state_dir: Path = Path("/var/lib/reconciler")
    output: str = "text"
    verbosity: int = 0


class Failure(click.ClickException):
    """What went wrong, in one line, and the exit status."""

    def __init__(self, message: str, status: int = EXIT_ERROR) -> None:
        super().__init__(message)
        self.status = status


class Done(int):
    """The exit status of a command that leaves nothing to be put in order: no process, thread or temporary
    file. The process ends at once, and what is ``kept`` is never taken apart object by object.
    """

    def __new__(cls, status: int, kept: object) -> Self:
        done = super().__new__(cls, status)
        done.kept = kept
        return done

    kept: object


def common_options(formats: Sequence[str], *, environment: bool) -> Callable[[Function], Function]:
    """The global options as parameters of their own names, None where not given.

    ``environment``: also from variables. For the root alone: elsewhere they would overrule what is given to
    the root.
    """
    options = (
        click.option(
            "--runtime-dir",
            type=PATH,
            envvar="RECONCILER_RUNTIME_DIR" if environment else None,
            help="Sockets and the engine's log; one for each instance.  [default: /run/reconciler]",
        ),
        click.option(
            "--state-dir",
            type=PATH,
            envvar="RECONCILER_STATE_DIR" if environment else None,
            help="History and remembered kernel values.  [default: /var/lib/reconciler]",
        ),
        click.option("-o", "--output", type=click.Choice(formats), help="Form of the data.  [default: text]"),
        click.option("-q", "--quiet", is_flag=True, default=None, help="Say only what is data, or wrong."),
        click.option("-v", "--verbose", count=True, default=None, help="Say more."),
    )

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def merged(base: Common, given: Mapping[str, Any]) -> Common:
    """The options as given over others."""
    result = base
    for name in ("runtime_dir", "state_dir", "output"):
        if given.get(name) is not None:
            result = replace(result, **{name: given[name]})
    if given.get("quiet"):
        result = replace(result, verbosity=-1)
    elif given.get("verbose"):
        result = replace(result, verbosity=given["verbose"])
    return result


def takes_common(
    formats: Sequence[str] = ("text", "json", "ndjson"),
) -> Callable[[Function], Callable[..., Any]]:
    """Gives a command the global options, and its function one argument ``common`` that holds them."""

    def decorate(function: Function) -> Callable[..., Any]:
        @wraps(function)
        def run(context: click.Context, /, **given: Any) -> Any:
            names = ("runtime_dir", "state_dir", "output", "quiet", "verbose")
            own = {name: given.pop(name) for name in names}
            common = merged(context.find_object(Common) or Common(), own)
            if common.output not in formats:
                raise click.UsageError(
                    f"-o {common.output} is not for this command: {', '.join(formats)}", context
                )
            return function(common=common, **given)

        return common_options(formats, environment=False)(click.pass_context(run))

    return decorate


class Seconds(click.ParamType[float]):
    """A duration of 0 seconds to so many days, in seconds: ``90``, ``90s``, ``2m``, ``1.5h``, ``1d``."""

    name = "duration"

    def __init__(self, days: int = 1) -> None:
        self._days = days

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", str(value), re.ASCII)
        if match is None:
            self.fail(f"{value!r} is not a duration: write 90s, 2m or 1h", param, ctx)
        seconds = float(match[1]) * _UNITS[match[2]]
        if seconds > self._days * _UNITS["d"]:
            most = "a day" if self._days == 1 else f"{self._days} days"
            self.fail(f"{value!r} is longer than {most}", param, ctx)
        return seconds


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
SECONDS = Seconds()


def session_id(text: str) -> int:
    """``19`` or ``0x13``."""
    try:
        return int(text, 0)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no session id: write 19 or 0x13") from None


def print_data(common: Common, document: Any, text: Callable[[], str]) -> None:
    """Print a document in the form asked for. A list is one object a line in ``ndjson``."""
    if common.output == "text":
        click.echo(text(), nl=False)
    elif common.output == "ndjson":
        for item in document if isinstance(document, list) else [document]:
            click.echo(json.dumps(item, separators=(",", ":")))
    else:
        click.echo(json.dumps(document, indent=2))


def say(common: Common, message: str) -> None:
    """Tell people something that is not data."""
    if common.verbosity >= 0:
        click.echo(message, err=True)


def show_findings(findings: Sequence[Diagnostic], source: Source) -> None:
    """Print findings where people look, with the lines that they are about."""
    from reconciler.site.report import as_text

    click.echo(as_text(findings, source, colour=coloured(sys.stderr)), nl=False, err=True)


def coloured(stream: Any = None) -> bool:
    """Whether a stream takes colours."""
    out = stream or sys.stdout
    return bool(out.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest cell. What comes from outside is made visible first."""
    from reconciler.site.escape import visible, width

    cells = [list(head), *([visible(cell) for cell in row] for row in rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(head))]
    lines = (
        "  ".join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True))
        for row in cells
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def duration(seconds: float) -> str:
    """As plans say it: ``3d02h``."""
    from reconciler.plan.words import duration as in_words

    return in_words(seconds)
