"""``reconciler validate``."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.common import EXIT_ERROR, Common, Failure, coloured, print_data, say, takes_common


@click.command("validate")
@click.argument("files", metavar="SITE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@takes_common(("text", "json", "ndjson", "github"))
def command(common: Common, files: tuple[Path, ...]) -> int:
    """Check site files and say everything that is wrong with them.

    Needs no root, no daemon and no network; password files and environment variables are not looked at.
    """
    from reconciler.site.diagnostic import has_errors
    from reconciler.site.load import load
    from reconciler.site.report import as_github, as_json, as_text

    status, documents = 0, []
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise Failure(f"cannot read {file}: {error.strerror}") from None
        loaded = load(content, str(file))
        documents += as_json(loaded.findings, str(file))
        if common.output == "text":
            click.echo(as_text(loaded.findings, loaded.source, colour=coloured()), nl=False)
        elif common.output == "github":
            click.echo(as_github(loaded.findings, str(file)), nl=False)
        if has_errors(loaded.findings):
            status = EXIT_ERROR
        elif not loaded.findings:
            say(common, f"{file}: no findings")
    if common.output in {"json", "ndjson"}:
        print_data(common, documents, str)
    return status
