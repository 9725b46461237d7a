"""What a process asks of the kernel about itself. Standard library alone."""

from __future__ import annotations

import ctypes
import errno
import os
import signal

from reconciler.linux.errors import refusal

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Have this process get a signal when the thread that started it ends, however that ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0):
        raise refusal("follow the parent process", ctypes.get_errno() or errno.EIO)
    if os.getppid() == 1:  # it ended before we could ask
        os.kill(os.getpid(), number)
