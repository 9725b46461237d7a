"""``reconciler user``: edits of site.yaml that change the lines concerned and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import sitefile
from reconciler.cli.common import Common, Failure, print_data, show_findings, table, takes_common
from reconciler.cli.password import hashed, obtain, password_options
from reconciler.cli.recipients import encrypted, recipient_option, whom

if TYPE_CHECKING:
    from reconciler.site.edit import Edited


@click.group("user", no_args_is_help=True)
def command() -> None:
    """Declare subscribers in site.yaml, change them, take them out.

    Edits the file and nothing else; a running daemon sees it and acts. Comments and layout stay as they are,
    and the difference is printed, without passwords.
    """


@command.command("add")
@click.argument("name")
@click.option("--ip", metavar="ADDRESS", help="A fixed address.  [default: one from the pool]")
@click.option("--age", "as_age", is_flag=True, help="Write the password encrypted.")
@password_options
@recipient_option
@sitefile.file_option
@takes_common(("text",))
def _add(
    common: Common,
    name: str,
    ip: str | None,
    as_age: bool,
    password_file: Path | None,
    generate: bool,
    recipients: tuple[str, ...],
    given: Path | None,
) -> None:
    """Declare a user."""
    from reconciler.site.edit import add_user, fitting
    from reconciler.site.secrets import Secret

    password = obtain(password_file, generate)

    def change(text: bytes, file: str) -> Edited:
        secret, sealed = Secret(password), ""
        if as_age:
            sealed = encrypted(name, fitting(secret), whom(common, text, Path(file), recipients))
        return add_user(text, name, secret, ip, file=file, sealed=sealed)

    sitefile.edit(common, given, change)
    if generate:
        click.echo(password)


@command.command("remove")
@click.argument("name")
@sitefile.file_option
@takes_common(("text",))
def _remove(common: Common, name: str, given: Path | None) -> None:
    """Take a user out. A running daemon refuses their logins and ends their sessions (see `on_remove`)."""
    from reconciler.site.edit import remove_user

    sitefile.edit(common, given, lambda text, file: remove_user(text, name, file=file))


@command.command("passwd")
@click.argument("name")
@click.option("--age", "as_age", is_flag=True, help="Write it encrypted, so that anybody may read the file.")
@click.option("--hash", "as_hash", is_flag=True, help="Write its scrypt hash, which serves `pap` alone.")
@password_options
@recipient_option
@sitefile.file_option
@takes_common(("text",))
def _passwd(
    common: Common,
    name: str,
    as_age: bool,
    as_hash: bool,
    password_file: Path | None,
    generate: bool,
    recipients: tuple[str, ...],
    given: Path | None,
) -> None:
    """Give a user another password."""
    from reconciler.site.edit import fitting, set_hash, set_password, set_sealed
    from reconciler.site.secrets import Secret

    if as_age and as_hash:
        raise click.UsageError("--age and --hash exclude each other")
    password = obtain(password_file, generate)

    def change(text: bytes, file: str) -> Edited:
        if as_hash:
            return set_hash(text, name, hashed(fitting(Secret(password))), file=file)
        if as_age:
            sealed = encrypted(name, fitting(Secret(password)), whom(common, text, Path(file), recipients))
            return set_sealed(text, {name: sealed}, file=file)
        return set_password(text, name, Secret(password), file=file)

    sitefile.edit(common, given, change)
    if generate:
        click.echo(password)


@command.command("ip")
@click.argument("name")
@click.argument("address", metavar="ADDRESS|pool")
@sitefile.file_option
@takes_common(("text",))
def _ip(common: Common, name: str, address: str, given: Path | None) -> None:
    """Give a user a fixed address, or one from the pool again."""
    from reconciler.site.edit import set_ip

    ip = None if address == "pool" else address
    sitefile.edit(common, given, lambda text, file: set_ip(text, name, ip, file=file))


@command.command("enable")
@click.argument("name")
@sitefile.file_option
@takes_common(("text",))
def _enable(common: Common, name: str, given: Path | None) -> None:
    """Let a user log in again."""
    from reconciler.site.edit import set_enabled

    sitefile.edit(common, given, lambda text, file: set_enabled(text, name, True, file=file))


@command.command("disable", short_help="Refuse a user's logins, and end their sessions.")
@click.argument("name")
@sitefile.file_option
@takes_common(("text",))
def _disable(common: Common, name: str, given: Path | None) -> None:
    """Refuse a user's logins without forgetting the user; a running daemon ends their sessions."""
    from reconciler.site.edit import set_enabled

    sitefile.edit(common, given, lambda text, file: set_enabled(text, name, False, file=file))


@command.command("list")
@sitefile.file_option
@takes_common()
def _list(common: Common, given: Path | None) -> None:
    """The users that the file declares."""
    from reconciler.site.load import load

    path = sitefile.site_file(common, given)
    loaded = load(sitefile.read(path), str(path))
    if loaded.site is None:
        show_findings(loaded.findings, loaded.source)
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
