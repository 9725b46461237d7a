"""Reads what the operator wrote: the site file, and the password files it names.

Reading never blocks on what is no regular file, and tells a file that somebody is still writing. It must
not know what the text means: that is ``site``'s.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

LONGEST = 64 << 20
"""Octets that a file may have; 100,000 users take about five million."""


class UnreadableError(OSError):
    """A file cannot be read. ``strerror`` says why, ``str()`` in one line which and why."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(errno.EIO, why, str(path))

    def __str__(self) -> str:
        return f"cannot read {self.filename}: {self.strerror}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as it was at one moment. ``unfinished``: somebody had it open for writing."""

    text: bytes
    sha256: str
    unfinished: bool


def read(path: Path) -> Reading:
    """The file's content. Raises :class:`UnreadableError`."""
    with _opened(path) as descriptor:
        unfinished = _being_written(descriptor)
        text = _content(descriptor, path)
    return Reading(text, hashlib.sha256(text).hexdigest(), unfinished)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        # O_NONBLOCK: opening a FIFO would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise UnreadableError(path, _plain(error)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError(path, "it is not a file")
        if status.st_size > LONGEST:
            raise UnreadableError(path, f"it is larger than {LONGEST >> 20} MiB")
        yield descriptor
    finally:
        os.close(descriptor)


def _content(descriptor: int, path: Path) -> bytes:
    chunks: list[bytes] = []
    left = LONGEST
    try:
        while left > 0 and (chunk := os.read(descriptor, min(left, 1 << 20))):
            chunks.append(chunk)
            left -= len(chunk)
    except OSError as error:
        raise UnreadableError(path, _plain(error)) from None
    return b"".join(chunks)


def _being_written(descriptor: int) -> bool:
    """Whether anybody has the file open for writing: then, and only then, the kernel refuses a read lease.

    Held for an instant. Who opens the file for writing just then has the kernel tell us by a signal: by one
    that is ignored, since the usual one (SIGIO) would end a process that does not expect it. Where leases are
    not to be had (another's file, some file systems) the answer is no.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _plain(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "permission denied"
    if isinstance(error, IsADirectoryError):
        return "it is a directory"
    return str(error.strerror or error)
