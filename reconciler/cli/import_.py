"""``reconciler import``: from another program's files to a site.yaml, and what did not go over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli import sitefile
from reconciler.cli.common import EXIT_ERROR, PATH, Common, Failure, say, show_findings, takes_common

if TYPE_CHECKING:
    from reconciler.importers.draft import Draft

Function = TypeVar("Function", bound=Callable[..., Any])


def _out_option(function: Function) -> Function:
    return click.option(
        "-O",
        "--out",
        metavar="SITE",
        type=PATH,
        help="Write a new file, readable for its owner alone.  [default: standard output]",
    )(function)


@click.group("import", no_args_is_help=True)
def command() -> None:
    """Make a site.yaml of what another PPPoE server is set up with.

    Nothing is changed but the new file. What does not go over is listed with the reason. The result has the
    users' passwords in it, as the files that it is made of.
    """


@command.command("pppoe-server")
@click.option(
    "--command",
    "line",
    metavar="LINE",
    required=True,
    help="In one: 'pppoe-server -I eth1 ...'.",
)
@click.option("--pap-secrets", type=PATH, help="Usually /etc/ppp/pap-secrets.")
@click.option("--chap-secrets", type=PATH, help="Usually /etc/ppp/chap-secrets.")
@click.option(
    "--options", type=PATH, multiple=True, help="Usually /etc/ppp/pppoe-server-options; once for each file."
)
@click.option(
    "--sysctl", type=PATH, multiple=True, help="A sysctl.conf or a script that sets ip_forward, proxy_arp."
)
@_out_option
@takes_common(("text",))
def _pppoe_server(
    common: Common,
    line: str,
    pap_secrets: Path | None,
    chap_secrets: Path | None,
    options: tuple[Path, ...],
    sysctl: tuple[Path, ...],
    out: Path | None,
) -> int:
    """From rp-pppoe's pppoe-server and pppd's files."""
    from reconciler.importers.draft import Draft
    from reconciler.importers.logins import take_logins
    from reconciler.importers.options import take_options
    from reconciler.importers.pppoe_server import NotThisCommandError, take_command
    from reconciler.importers.sysctl import take_sysctl

    draft = Draft()
    try:
        take_command(draft, line)
    except NotThisCommandError as error:
        raise Failure(f"--command is no command line of pppoe-server: {error}") from None
    for path in options:
        take_options(draft, _text(path), str(path))
    for path in sysctl:
        take_sysctl(draft, _text(path), str(path))
    for secrets in (chap_secrets, pap_secrets):
        if secrets is not None:
            take_logins(draft, _text(secrets), str(secrets))
    return _finish(common, draft, out)


@command.command("accel-ppp")
@click.option("--conf", type=PATH, required=True, help="Usually /etc/accel-ppp.conf.")
@click.option("--chap-secrets", type=PATH, help="The file that [chap-secrets] names.")
@_out_option
@takes_common(("text",))
def _accel_ppp(common: Common, conf: Path, chap_secrets: Path | None, out: Path | None) -> int:
    """From accel-ppp's accel-ppp.conf and chap-secrets."""
    from reconciler.importers.accel_ppp import take_conf
    from reconciler.importers.draft import Draft
    from reconciler.importers.logins import ACCEL, take_logins

    draft = Draft()
    take_conf(draft, _text(conf), str(conf))
    if chap_secrets is not None:
        take_logins(draft, _text(chap_secrets), str(chap_secrets), ACCEL)
    return _finish(common, draft, out)


def _text(path: Path) -> str:
    content = sitefile.read(path)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        advice = "save it as UTF-8, and see that passwords stay what subscribers type"
        raise Failure(f"{path}:{line} is not UTF-8 text: {advice}") from None


def _finish(common: Common, draft: Draft, out: Path | None) -> int:
    """Write the site, and say what is not in it, and what is still wrong with it."""
    from reconciler.site.diagnostic import has_errors
    from reconciler.site.load import load

    text = draft.text()
    name = str(out or "site.yaml")
    loaded = load(text, name)
    if out is None:
        click.echo(text, nl=False)
    else:
        sitefile.create(out, text.encode())
    for note in draft.notes:
        click.echo(f"not imported: {note}", err=True)
    show_findings(loaded.findings, loaded.source)
    say(common, f"{name}: {len(draft.users)} users; not imported: {len(draft.notes)}")
    return EXIT_ERROR if has_errors(loaded.findings) else 0
