"""Keys to encrypted passwords: this box's own, and those that ``--age-identity`` names beside it.

Neighbour: ``cli.recipients`` is the other direction. It must not know whose passwords they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.common import PATH, Common, Failure

if TYPE_CHECKING:
    from reconciler.loop.reading.unseal import Unsealer

Function = TypeVar("Function", bound=Callable[..., Any])


def identity_option(help: str) -> Callable[[Function], Function]:  # noqa: A002 - click's word
    """Parameter ``identities``: files with keys."""
    return click.option(
        "--age-identity",
        "identities",
        metavar="FILE",
        multiple=True,
        type=PATH,
        help=help,
    )


def opener(common: Common, files: Iterable[Path]) -> Unsealer:
    """What decrypts with the box's key, and with those in ``files``."""
    from reconciler.loop.reading.boxkey import BoxKey
    from reconciler.loop.reading.unseal import Unsealer

    return Unsealer((BoxKey(common.state_dir).path, *files))


def check(files: Iterable[Path]) -> None:
    """A key that is asked for must be one. Raises :class:`Failure`."""
    from reconciler.loop.reading.boxkey import KeyFileError, identities

    for file in files:
        try:
            identities(file)
        except FileNotFoundError:
            raise Failure(f"--age-identity: there is no {file}") from None
        except KeyFileError as error:
            raise Failure(f"--age-identity: {error}") from None
