"""Keys in the kernel's memory: kept for a user id, for as long as the machine is up, never on a disk.

They stand in the keyring of the user id (user-keyring(7)), which later processes of the same user find
whichever session they run in: a service manager gives each run of a unit a session keyring of its own. A key
is given to whoever asks from the same user id, which for root is root. Standard library alone. It must not
know what a key is for.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from typing import Final

from reconciler.linux.errors import KernelError

LONGEST: Final = 4096
"""Octets of a key at most."""

_ADD_KEY, _KEYCTL = {
    "x86_64": (248, 250),
    "i686": (286, 288),
    "armv7l": (309, 311),
    "ppc64le": (269, 271),
    "s390x": (278, 280),
}.get(platform.machine(), (217, 219))
"""The calls' numbers; those of most machines are the generic ones."""

_PROCESS_KEYRING, _USER_KEYRING = -2, -4
_LINK, _UNLINK, _SEARCH, _READ = 8, 9, 10, 11
_TYPE = b"user"

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def recall(name: str) -> bytes | None:
    """The key of this name, None if there is none. Raises ``KernelError`` where keys cannot be had."""
    number = _find(name)
    if number is None:
        return None
    buffer = ctypes.create_string_buffer(LONGEST)
    length = _call("read a key", _KEYCTL, _READ, number, buffer, len(buffer))
    return buffer.raw[:length]


def keep(name: str, key: bytes) -> None:
    """Keep a key under this name, in place of any other. Raises ``KernelError``."""
    _call("keep a key", _ADD_KEY, _TYPE, name.encode(), key, len(key), _USER_KEYRING)


def forget(name: str) -> None:
    """Keep no key of this name any more. Raises ``KernelError``."""
    number = _find(name)
    if number is not None:
        _call("forget a key", _KEYCTL, _UNLINK, number, _USER_KEYRING)


def _find(name: str) -> int | None:
    # A process reads what its own keyrings lead to, and a session keyring need not lead to the user's.
    _call("open the user's keyring", _KEYCTL, _LINK, _USER_KEYRING, _PROCESS_KEYRING)
    try:
        return _call("look for a key", _KEYCTL, _SEARCH, _USER_KEYRING, _TYPE, name.encode(), 0)
    except KernelError as error:
        if error.errno in (errno.ENOKEY, errno.EKEYEXPIRED, errno.EKEYREVOKED):
            return None
        raise


def _call(doing: str, number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    words = [ctypes.c_long(given) if isinstance(given, int) else given for given in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        error = ctypes.get_errno()
        raise KernelError(error, f"cannot {doing}: {os.strerror(error).lower()}")
    return result
