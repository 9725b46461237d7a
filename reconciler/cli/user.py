"""``reconciler user``: edits of site.yaml that change the lines concerned and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli import sitefile
from reconciler.cli.common import Common, Failure, coloured, print_data, say, table, takes_common
from reconciler.cli.password import hashed, obtain, password_options

if TYPE_CHECKING:
    from reconciler.site.edit import Edited

Function = TypeVar("Function", bound=Callable[..., Any])


def _file_option(function: Function) -> Function:
    return click.option(
        "--file",
        "given",
        metavar="SITE",
        type=click.Path(path_type=Path),
        help="The site file.  [default: site.yaml here, else the one that the daemon watches]",
    )(function)


@click.group("user", no_args_is_help=True)
def command() -> None:
    """Declare subscribers in site.yaml, change them, take them out.

    Edits the file and nothing else; a running daemon sees it and acts. Comments and layout stay as they are,
    and the difference is printed, without passwords.
    """


@command.command("add")
@click.argument("name")
@click.option("--ip", metavar="ADDRESS", help="A fixed address.  [default: one from the pool]")
@password_options
@_file_option
@takes_common(("text",))
def _add(
    common: Common, name: str, ip: str | None, password_file: Path | None, generate: bool, given: Path | None
) -> None:
    """Declare a user."""
    from reconciler.site.edit import add_user
    from reconciler.site.secrets import Secret

    password = obtain(password_file, generate)
    _edit(common, given, lambda text, file: add_user(text, name, Secret(password), ip, file=file))
    if generate:
        click.echo(password)


@command.command("remove")
@click.argument("name")
@_file_option
@takes_common(("text",))
def _remove(common: Common, name: str, given: Path | None) -> None:
    """Take a user out. A running daemon refuses their logins and ends their sessions (see `on_remove`)."""
    from reconciler.site.edit import remove_user

    _edit(common, given, lambda text, file: remove_user(text, name, file=file))


@command.command("passwd")
@click.argument("name")
@click.option("--hash", "as_hash", is_flag=True, help="Write its scrypt hash, which serves `pap` alone.")
@password_options
@_file_option
@takes_common(("text",))
def _passwd(
    common: Common, name: str, as_hash: bool, password_file: Path | None, generate: bool, given: Path | None
) -> None:
    """Give a user another password."""
    from reconciler.site.edit import fitting, set_hash, set_password
    from reconciler.site.secrets import Secret

    password = obtain(password_file, generate)

    def change(text: bytes, file: str) -> Edited:
        if as_hash:
            return set_hash(text, name, hashed(fitting(Secret(password))), file=file)
        return set_password(text, name, Secret(password), file=file)

    _edit(common, given, change)
    if generate:
        click.echo(password)


@command.command("ip")
@click.argument("name")
@click.argument("address", metavar="ADDRESS|pool")
@_file_option
@takes_common(("text",))
def _ip(common: Common, name: str, address: str, given: Path | None) -> None:
    """Give a user a fixed address, or one from the pool again."""
    from reconciler.site.edit import set_ip

    ip = None if address == "pool" else address
    _edit(common, given, lambda text, file: set_ip(text, name, ip, file=file))


@command.command("enable")
@click.argument("name")
@_file_option
@takes_common(("text",))
def _enable(common: Common, name: str, given: Path | None) -> None:
    """Let a user log in again."""
    from reconciler.site.edit import set_enabled

    _edit(common, given, lambda text, file: set_enabled(text, name, True, file=file))


@command.command("disable")
@click.argument("name")
@_file_option
@takes_common(("text",))
def _disable(common: Common, name: str, given: Path | None) -> None:
    """Refuse a user's logins without forgetting the user; a running daemon ends their sessions."""
    from reconciler.site.edit import set_enabled

    _edit(common, given, lambda text, file: set_enabled(text, name, False, file=file))


@command.command("list")
@_file_option
@takes_common()
def _list(common: Common, given: Path | None) -> None:
    """The users that the file declares."""
    from reconciler.site.load import load
    from reconciler.site.report import as_text

    path = sitefile.site_file(common, given)
    loaded = load(sitefile.read(path), str(path))
    if loaded.site is None:
        click.echo(as_text(loaded.findings, loaded.source, colour=coloured()), nl=False, err=True)
        raise Failure(f"{path} has errors")
    rows = [
        {
            "name": name,
            "ip": None if user.ip is None else str(user.ip),
            "enabled": user.enabled,
            "sessions": user.sessions,
            "line": loaded.places[("users", name)].line,
        }
        for name, user in loaded.site.users.items()
    ]
    print_data(common, rows, lambda: _as_table(rows))


def _as_table(rows: list[dict[str, Any]]) -> str:
    return table(
        ("NAME", "ADDRESS", "ENABLED", "SESSIONS", "LINE"),
        [
            (
                row["name"],
                row["ip"] or "pool",
                "yes" if row["enabled"] else "no",
                str(row["sessions"]),
                str(row["line"]),
            )
            for row in rows
        ],
    )


def _edit(common: Common, given: Path | None, change: Callable[[bytes, str], Edited]) -> None:
    """Read the file, change it, show the difference, put it in place. Raises :class:`Failure`."""
    from reconciler.site.difference import as_diff
    from reconciler.site.edit import EditError
    from reconciler.site.report import as_text

    path = sitefile.site_file(common, given)
    content = sitefile.read(path)
    try:
        edited = change(content, str(path))
    except EditError as error:
        if error.loaded is not None:
            text = as_text(error.loaded.findings, error.loaded.source, colour=coloured())
            click.echo(text, nl=False, err=True)
        raise Failure(str(error)) from None
    if edited.content == content:
        say(common, f"{path}: nothing to change")
        return
    sitefile.replace(path, content, edited.content)
    known = {(finding.code, finding.message) for finding in edited.before.findings}
    new = [finding for finding in edited.after.findings if (finding.code, finding.message) not in known]
    click.echo(as_text(new, edited.after.source, colour=coloured()), nl=False, err=True)
    say(common, as_diff(content, edited.content, edited.before.source, edited.after.source).rstrip("\n"))
