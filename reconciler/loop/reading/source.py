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
    """A file cannot be read. ``strerror`` says why, ``str()`` in one line which and why; ``reason`` is one
    word for machines.
    """

    def __init__(self, path: Path, reason: str, why: str) -> None:
        super().__init__(errno.EIO, why, str(path))
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot read {self.filename}: {self.strerror}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as it was at one moment. ``unfinished``: somebody had it open for writing. ``exposed`` says who
    but its owner, root or ourselves, can get at it; "" when nobody can.
    """

    text: bytes
    sha256: str
    unfinished: bool
    exposed: str = ""


def read(path: Path) -> Reading:
    """The file's content. Raises :class:`UnreadableError`."""
    with _opened(path) as descriptor:
        unfinished = _being_written(descriptor)
        text = _content(descriptor, path)
        exposed = _exposed(os.fstat(descriptor))
    return Reading(text, hashlib.sha256(text).hexdigest(), unfinished, exposed)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        # O_NONBLOCK: opening a FIFO would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise UnreadableError(path, *_plain(error)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            what = "a directory" if stat.S_ISDIR(status.st_mode) else "not a file"
            raise UnreadableError(path, "NotAFile", f"it is {what}")
        if status.st_size > LONGEST:
            raise UnreadableError(path, "TooLarge", f"it is larger than {LONGEST >> 20} MiB")
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
        raise UnreadableError(path, *_plain(error)) from None
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


def _exposed(status: os.stat_result) -> str:
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid not in (0, os.geteuid()):
        return f"it belongs to uid {status.st_uid}"
    if mode & 0o066:
        return f"its mode is {mode:04o}"
    return ""


def _plain(error: OSError) -> tuple[str, str]:
    """The reason, for machines and for people."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "NotFound", "there is no such file"
    if isinstance(error, PermissionError):
        return "PermissionDenied", "permission denied"
    return "Unreadable", str(error.strerror or error)
