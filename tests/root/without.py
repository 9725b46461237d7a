"""``python -m tests.root.without keys|sync COMMAND...``: a command to which the kernel refuses keyrings, as
many containers do; or for which it does not wait for disks, since what it makes need not outlive a power cut.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import NamedTuple

from reconciler.linux import keyring

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ANSWER = 0x7FFF0000, 0x00050000


class Refusal(NamedTuple):
    """System calls that are not carried out, and the ``errno`` that they give; 0: they say that they were."""

    calls: tuple[int, ...]
    error: int


REFUSALS = {
    "keys": Refusal((keyring._ADD_KEY, keyring._KEYCTL), errno.EPERM),
    "sync": Refusal(
        # sync, fsync, fdatasync, sync_file_range, syncfs; the generic numbers are those of most machines
        {"x86_64": (162, 74, 75, 277, 306)}.get(platform.machine(), (81, 82, 83, 84, 267)),
        0,
    ),
}


def refuse(refusal: Refusal) -> None:
    """By a filter of system calls (seccomp(2)), which every child inherits."""
    count = len(refusal.calls)
    program = [
        (_LOAD, 0, 0, 0),  # the call's number stands first
        *((_IF_EQUAL, count - place, 0, call) for place, call in enumerate(refusal.calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ANSWER | refusal.error),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    head = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(code)))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, head):
        raise OSError(ctypes.get_errno(), "no filter of system calls")


if __name__ == "__main__":
    refuse(REFUSALS[sys.argv[1]])
    os.execvp(sys.argv[2], sys.argv[2:])
