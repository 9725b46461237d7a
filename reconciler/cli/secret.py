"""``reconciler secret``: whom to encrypt passwords for, and encrypting those that stand in a site file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import sitefile
from reconciler.cli.common import Common, Failure, print_data, say, takes_common
from reconciler.cli.identities import identity_option, opener
from reconciler.cli.recipients import encrypted, recipient_option, whom

if TYPE_CHECKING:
    from reconciler.loop.reading.unseal import Unsealer


@click.group("secret", no_args_is_help=True)
def command() -> None:
    """Passwords that are encrypted in site.yaml (`password_age`)."""


@command.command("recipient", short_help="Print for whom to encrypt what this box shall read.")
@takes_common()
def _recipient(common: Common) -> None:
    """Print for whom to encrypt what this box shall read, after making its key if there is none.

    To be run on the box, as the user that `reconciler run` runs as. The key stays in the state directory.
    """
    from reconciler.loop.reading.boxkey import BoxKey, KeyFileError

    box = BoxKey(common.state_dir)
    try:
        public = box.public
    except KeyFileError as error:
        raise Failure(str(error)) from None
    print_data(common, {"recipient": public, "file": str(box.path)}, lambda: f"{public}\n")


@command.command("encrypt")
@click.option("--again", is_flag=True, help="Encrypt those anew that are encrypted already.")
@identity_option("With --again: a key to decrypt with, beside this box's.")
@recipient_option
@sitefile.file_option
@takes_common(("text",))
def _encrypt(
    common: Common,
    again: bool,
    identities: tuple[Path, ...],
    recipients: tuple[str, ...],
    given: Path | None,
) -> None:
    """Encrypt every password that stands in the file as plain text.

    With --again also those that are encrypted: after a change of `age_recipients`, or of a key.
    """
    from reconciler.site.edit import Edited, set_sealed

    unsealer = opener(common, identities) if again else None
    count = 0

    def change(text: bytes, file: str) -> Edited:
        nonlocal count
        readers = whom(common, text, Path(file), recipients)
        known = _known(text, file, unsealer)
        count = len(known)
        return set_sealed(text, {n: encrypted(n, known[n], readers) for n in known}, file=file)

    sitefile.edit(common, given, change)
    if count:
        say(common, f"encrypted: {count}; what the file said before may still be in git's history")


def _known(text: bytes, file: str, unsealer: Unsealer | None) -> dict[str, str]:
    """The passwords in the file by user: those in plain text, and with ``unsealer`` the encrypted ones."""
    from reconciler.loop.reading.passwords import encrypted as encrypted_in
    from reconciler.site.load import load

    site = load(text, file, denying=False).site
    if site is None:
        return {}
    known = {name: user.password.reveal() for name, user in site.users.items() if user.password is not None}
    if unsealer is None:
        return known
    found = encrypted_in(site, unsealer)
    for finding in found.findings:
        raise Failure(f"{finding.message}: {finding.help}")
    return known | {name: secret.secret.reveal() for name, secret in found.secrets.items()}
