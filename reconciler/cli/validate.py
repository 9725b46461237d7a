"""``reconciler validate``."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli import sitefile
from reconciler.cli.common import (
    EXIT_ERROR,
    PATH,
    Common,
    Done,
    Failure,
    coloured,
    print_data,
    say,
    takes_common,
)
from reconciler.cli.identities import identity_option, opener

if TYPE_CHECKING:
    from reconciler.site.diagnostic import Diagnostic
    from reconciler.site.load import Loaded


@click.command("validate")
@click.argument("files", metavar="SITE...", nargs=-1, required=True, type=PATH)
@click.option(
    "--deny",
    "denied",
    metavar="CODE",
    multiple=True,
    callback=lambda _context, _option, codes: _known(codes),
    help="Take a warning for an error: W205 (passwords in plain text), `all`, ...",
)
@click.option(
    "--secrets",
    is_flag=True,
    help="Get every password too, as the daemon does: from files, variables, encrypted values.",
)
@identity_option("A key to check encrypted passwords with.")
@takes_common(("text", "json", "ndjson", "github", "sarif"))
def command(
    common: Common,
    files: tuple[Path, ...],
    denied: tuple[str, ...],
    secrets: bool,
    identities: tuple[Path, ...],
) -> int:
    """Check site files and say everything that is wrong with them.

    Needs no root, no daemon and no network: password files and environment variables are not looked at, and
    encrypted passwords are only with a key, unless --secrets is given.
    """
    from reconciler.garbage import uncollected

    with uncollected():
        status = _checked(common, files, denied, secrets, identities)
        gc.freeze()  # nor on the way out, when all of it is still there
    return status


def _checked(
    common: Common,
    files: Sequence[Path],
    denied: Sequence[str],
    secrets: bool,
    identities: Sequence[Path],
) -> Done:
    """Tell what is found in each; gives back the exit status."""
    from reconciler.site.diagnostic import has_errors, in_order
    from reconciler.site.lint import judged
    from reconciler.site.load import load
    from reconciler.site.report import as_github, as_json, as_text

    status = 0
    found: dict[str, Sequence[Diagnostic]] = {}
    read: list[Loaded] = []
    for file in files:
        try:
            loaded = load(sitefile.read(file), str(file))
        except Failure as unread:  # the others are checked all the same
            click.echo(f"error: {unread.message}", err=True)
            status = EXIT_ERROR
            continue
        read.append(loaded)
        more = _about_passwords(common, file, loaded, identities, all_of_them=secrets)
        findings = in_order(judged((*loaded.findings, *loaded.notes, *more), (), denied))
        found[str(file)] = findings
        if common.output == "text":
            click.echo(as_text(findings, loaded.source, colour=coloured()), nl=False)
        elif common.output == "github":
            click.echo(as_github(findings, str(file)), nl=False)
        if has_errors(findings):
            status = EXIT_ERROR
        elif not findings:
            say(common, f"{file}: no findings")
    if common.output in {"json", "ndjson"}:
        print_data(common, [view for name, some in found.items() for view in as_json(some, name)], str)
    elif common.output == "sarif":
        from reconciler.site.sarif import as_sarif

        click.echo(json.dumps(as_sarif(found, __version__), indent=2))
    return Done(status, read)


def _known(codes: Sequence[str]) -> tuple[str, ...]:
    from reconciler.site.codes import DENIABLE

    for code in codes:
        if code not in DENIABLE:
            raise click.BadParameter(f"{code!r} is not one of {', '.join(DENIABLE)}")
    return tuple(codes)


def _about_passwords(
    common: Common, file: Path, loaded: Loaded, keys: Sequence[Path], *, all_of_them: bool
) -> tuple[Diagnostic, ...]:
    """What is wrong with passwords that are not in the file itself, as far as it is asked for."""
    if loaded.site is None:
        return ()
    if all_of_them or keys:
        from reconciler.loop.reading.passwords import Passwords, encrypted
        from reconciler.loop.reading.unseal import Unsealer

    if all_of_them:
        passwords = Passwords(os.environ.get, opener(common, keys))
        return passwords.of(loaded.site, file.parent, loaded.places)[0].findings
    if keys:
        return encrypted(loaded.site, Unsealer(keys), loaded.places).findings
    sealed = sum(user.password_age is not None for user in loaded.site.users.values())
    if sealed:
        say(common, f"{file}: encrypted passwords not checked: {sealed} (--age-identity FILE checks them)")
    return ()
