"""Where a command gets a password from: a prompt, a file, standard input, or chance; never an argument.

Arguments are seen by everybody on the machine and kept by the shell.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.common import Failure

if TYPE_CHECKING:
    from reconciler.site.hashes import Scrypt

Function = TypeVar("Function", bound=Callable[..., Any])

_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that look like others on paper."""
_LENGTH = 16


def password_options(function: Function) -> Function:
    """Parameters ``password_file`` and ``generate``, for :func:`obtain`."""
    function = click.option(
        "--generate", is_flag=True, help="Make a password, and print it: it is shown this once."
    )(function)
    return click.option(
        "--password-file",
        metavar="FILE",
        type=click.Path(path_type=Path, allow_dash=True),
        help="Take the password from the one line of FILE; - is standard input.  [default: ask for it]",
    )(function)


def obtain(password_file: Path | None, generate: bool) -> str:
    """The password. Raises :class:`Failure`."""
    if generate and password_file is not None:
        raise click.UsageError("--generate and --password-file exclude each other")
    if generate:
        return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    if password_file is not None:
        return _one_line(password_file)
    if not sys.stdin.isatty():
        raise Failure("no terminal to ask for the password: use --password-file - or --generate")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt="Again", err=True)
    return answer


def hashed(password: str) -> Scrypt:
    """The password's scrypt hash, with the parameters that OWASP gives for 16 MiB of memory."""
    from reconciler.site.hashes import Scrypt

    n, r, p = 1 << 14, 8, 5
    salt = secrets.token_bytes(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=64 << 20, dklen=32)
    return Scrypt(n, r, p, salt, key)


def _one_line(path: Path) -> str:
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Failure(f"{path} is not UTF-8 text") from None
    if "\n" in text:
        raise Failure(f"{path} has more than one line")
    return text
