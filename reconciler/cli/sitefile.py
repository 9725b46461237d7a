"""The file that commands edit: which one it is, and how a new text takes the place of the old one.

A reader sees the old text or the new one, never half of it; mode and owner stay, and a symbolic link goes on
pointing to the same file. It must not know what the text says.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.common import PATH, Common, Failure, say, show_findings
from reconciler.garbage import uncollected

if TYPE_CHECKING:
    from reconciler.site.edit import Edited

Function = TypeVar("Function", bound=Callable[..., Any])

DEFAULT = Path("site.yaml")


def file_option(function: Function) -> Function:
    """Parameter ``given``, for :func:`edit`."""
    return click.option(
        "--file",
        "given",
        metavar="SITE",
        type=PATH,
        help="The site file.  [default: site.yaml here, else the one that the daemon watches]",
    )(function)


def site_file(common: Common, given: Path | None) -> Path:
    """The file that is given, else ``site.yaml`` here, else the one that the daemon watches."""
    if given is not None:
        return given
    if DEFAULT.exists():
        return DEFAULT
    from reconciler.cli import ask

    try:
        watched = ask.get(common, "/v1/status")["source"]["file"]
    except Failure:
        watched = None
    if watched is None:
        raise Failure("no site.yaml here, and no daemon that watches one: say --file SITE")
    return Path(watched)


def read(path: Path) -> bytes:
    """What is in a file. Raises :class:`Failure`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from None


def replace(path: Path, old: bytes, new: bytes) -> None:
    """Put ``new`` in the place of ``old``, at once. Raises :class:`Failure`, also when ``old`` is not there
    any more.
    """
    try:
        target = path.resolve(strict=True)
        found = target.stat()
        _put(target, new, found.st_mode & 0o7777, (found.st_uid, found.st_gid), old)
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from None


def create(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone can read. Raises :class:`Failure`, also when there is one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Failure(f"{path} is there already") from None
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


@uncollected()
def edit(common: Common, given: Path | None, change: Callable[[bytes, str], Edited]) -> None:
    """Read the file, change it, show the difference, put it in place. Raises :class:`Failure`."""
    from reconciler.site.difference import as_diff
    from reconciler.site.edit import EditError

    path = site_file(common, given)
    content = read(path)
    try:
        edited = change(content, str(path))
    except EditError as error:
        if error.loaded is not None:
            show_findings(error.loaded.findings, error.loaded.source)
        raise Failure(str(error)) from None
    if edited.content == content:
        say(common, f"{path}: nothing to change")
        return
    replace(path, content, edited.content)
    known = {(finding.code, finding.message) for finding in edited.before.findings}
    new = [finding for finding in edited.after.findings if (finding.code, finding.message) not in known]
    show_findings(new, edited.after.source)
    say(common, as_diff(content, edited.content, edited.before.source, edited.after.source).rstrip("\n"))


def _put(target: Path, content: bytes, mode: int, owner: tuple[int, int], old: bytes) -> None:
    import secrets

    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if owner != _owner(descriptor):
                # The owner first: changing it clears bits of the mode.
                os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        if target.read_bytes() != old:
            raise Failure(f"{target} was changed by somebody else meanwhile: try again")
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _owner(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_uid, found.st_gid
