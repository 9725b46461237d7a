"""What the kernel does for a process, and tells of one. Standard library alone."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from pathlib import Path
from typing import NamedTuple

from reconciler.linux.errors import refusal

_PR_SET_PDEATHSIG = 1

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage(NamedTuple):
    """``cpu`` in seconds since it was started, which was at ``started`` (Unix time); ``memory`` in octets."""

    cpu: float
    memory: int
    descriptors: int
    started: float


def usage(pid: int) -> Usage | None:
    """What a process uses (proc_pid_stat(5)); None when it is not there, or somebody else's."""
    try:
        # The name in the second field is in brackets, and may hold anything, brackets too.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        booted = next(
            line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime ")
        )
    except OSError:
        return None
    user, system, start, pages = (int(fields[number - 3]) for number in (14, 15, 22, 24))
    return Usage(
        (user + system) / _TICKS, pages * _PAGE, descriptors, int(booted.split()[1]) + start / _TICKS
    )


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Have this process get a signal when the thread that started it ends, however that ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0):
        raise refusal("follow the parent process", ctypes.get_errno() or errno.EIO)
    if os.getppid() == 1:  # it ended before we could ask
        os.kill(os.getpid(), number)
