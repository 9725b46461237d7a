"""``reconciler fmt``: site files in one layout, so that a difference in git is a difference."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reconciler.cli import sitefile
from reconciler.cli.common import EXIT_ERROR, PATH, Common, Failure, say, show_findings, takes_common
from reconciler.garbage import uncollected

STDIN = Path("-")


@click.command("fmt")
@click.argument("files", metavar="SITE...", nargs=-1, required=True, type=PATH)
@click.option("--check", is_flag=True, help="Change nothing; list what would be, and exit with 1.")
@click.option("--diff", is_flag=True, help="Change nothing; show the lines that would be, without secrets.")
@takes_common(("text",))
def command(common: Common, files: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Put site files into the canonical layout.

    White space alone changes: indentation by two, one space behind a colon or a comma, none at the ends of
    lines, one blank line at most. Comments, quotes, the order of keys and the breaking of lines stay. A file
    that is no YAML stays as it is. `-` reads standard input and writes standard output.
    """
    status = 0
    for file in files:
        if file == STDIN and not (check or diff):
            sys.stdout.buffer.write(_laid_out(sys.stdin.buffer.read(), file))
            continue
        before = sys.stdin.buffer.read() if file == STDIN else sitefile.read(file)
        after = _laid_out(before, file)
        if after == before:
            continue
        if diff:
            _show(before, after, file)
        if check or diff:
            say(common, f"would be laid out anew: {file}")
            status = EXIT_ERROR
        else:
            sitefile.replace(file, before, after)
            say(common, f"laid out anew: {file}")
    return status


@uncollected()
def _laid_out(content: bytes, file: Path) -> bytes:
    from reconciler.site.layout import LayoutError, laid_out

    try:
        return laid_out(content, str(file))
    except LayoutError as error:
        if error.loaded is not None:
            show_findings(error.loaded.findings, error.loaded.source)
        raise Failure(str(error)) from None


def _show(before: bytes, after: bytes, file: Path) -> None:
    from reconciler.site.difference import as_diff
    from reconciler.site.load import load

    sources = (load(before, str(file)).source, load(after, str(file)).source)
    click.echo(as_diff(before, after, *sources), nl=False)
