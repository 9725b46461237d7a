"""For whom a command encrypts: whoever the site file names, whoever is named beside it, else this box.

Encrypting draws random numbers, so it is done here and not in ``site``. It must not know how a value is put
into the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.common import Common, Failure

if TYPE_CHECKING:
    import pyrage

Function = TypeVar("Function", bound=Callable[..., Any])
Recipients = Sequence["pyrage.x25519.Recipient"]


def recipient_option(function: Function) -> Function:
    """Parameter ``recipients``, for :func:`whom`."""
    return click.option(
        "--recipient",
        "recipients",
        metavar="AGE1...",
        multiple=True,
        help="Encrypt for this recipient too.  [default: `age_recipients` of the file, else this box]",
    )(function)


def whom(common: Common, text: bytes, file: Path, given: Sequence[str]) -> Recipients:
    """For whom to encrypt in ``file``, which says ``text``. Raises :class:`Failure`."""
    import pyrage

    from reconciler.loop.reading.boxkey import BoxKey, KeyFileError
    from reconciler.site import age, values
    from reconciler.site.load import load

    site = load(text, str(file), denying=False).site
    try:
        names = [*(site.age_recipients if site else ()), *map(age.recipient, given)]
    except values.UnfitError as unfit:
        raise Failure(f"--recipient: {unfit.message}: {unfit.advice}") from None
    box = BoxKey(common.state_dir)
    if not names and box.exists:
        try:
            names = [box.public]
        except KeyFileError as error:
            raise Failure(str(error)) from None
    if not names:
        raise Failure(
            f"for whom? Give `age_recipients` in {file}, or --recipient: "
            "`reconciler secret recipient` prints the box's, there"
        )
    return [pyrage.x25519.Recipient.from_str(name) for name in dict.fromkeys(names)]


def encrypted(name: str, password: str, recipients: Recipients) -> str:
    """A password, bound to the user's name, as it is written into a site file. Raises :class:`Failure`."""
    import pyrage

    from reconciler.site import age, values

    try:
        content = age.bound(name, password)
    except values.UnfitError as unfit:
        raise Failure(f"user {name}: {unfit.message}: {unfit.advice}") from None
    return age.written(pyrage.encrypt(content, recipients))
