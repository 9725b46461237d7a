"""``reconciler schema``."""

from __future__ import annotations

import click

from reconciler.cli.common import Common, takes_common
from reconciler.control.outputs import OUTPUTS, as_json

SITE = "site"


@click.command("schema", epilog=f"NAME: {', '.join((SITE, *OUTPUTS))}.  [default: {SITE}]")
@click.argument("name", metavar="[NAME]", type=click.Choice((SITE, *OUTPUTS)), default=SITE)
@takes_common()
def command(common: Common, name: str) -> None:  # noqa: ARG001 - a schema has one form
    """Print a JSON schema: of site.yaml, for editors and checks, or of what a command prints for machines.

    Keys that were shipped stay; further ones may come.
    """
    if name == SITE:
        from reconciler.site.schema import as_json as site_as_json

        click.echo(site_as_json(), nl=False)
        return
    click.echo(as_json(name), nl=False)
