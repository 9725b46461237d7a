"""``python -m tests.root.without_keys COMMAND...``: a command to which the kernel refuses keyrings, as many
containers do.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

from reconciler.linux import keyring

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM


def refuse_keys() -> None:
    """By a filter of system calls (seccomp(2)), which every child inherits."""
    program = [
        (_LOAD, 0, 0, 0),  # the call's number stands first
        (_IF_EQUAL, 1, 0, keyring._ADD_KEY),
        (_IF_EQUAL, 0, 1, keyring._KEYCTL),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    head = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(code)))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, head):
        raise OSError(ctypes.get_errno(), "no filter of system calls")


if __name__ == "__main__":
    refuse_keys()
    os.execvp(sys.argv[1], sys.argv[1:])
