"""``reconciler schema``."""

from __future__ import annotations

import click

from reconciler.cli.common import Common, takes_common


@click.command("schema")
@takes_common()
def command(common: Common) -> None:  # noqa: ARG001 - the schema has one form
    """Print the JSON schema of site.yaml, for editors and checks."""
    from reconciler.site.schema import as_json

    click.echo(as_json(), nl=False)
