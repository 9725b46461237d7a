"""The file system that holds the names of maps and links (bpffs), so that they outlive their maker.

Standard library alone: the engine imports this. It must not know what is named there.
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from reconciler.linux.errors import refusal

ROOT = Path("/sys/fs/bpf")
"""Where every distribution with systemd mounts it at boot."""

_OURS = b"reconciler"
"""What we mounted says so, as its source."""
_BPF_FS_MAGIC = 0xCAFE4A11
_libc = ctypes.CDLL(None, use_errno=True)


def mount() -> None:
    """See to it that there is one. Raises ``KernelError``."""
    if _is_mounted():
        return
    if _libc.mount(_OURS, os.fsencode(ROOT), b"bpf", 0, b"mode=0700"):
        raise refusal(f"mount a bpffs on {ROOT}", ctypes.get_errno() or errno.EIO)


def unmount_ours() -> None:
    """Take away the one that we mounted, once there is nothing in it but what the kernel puts into each."""
    mounted = [line.split()[:2] for line in Path("/proc/self/mounts").read_bytes().splitlines()]
    if [_OURS, os.fsencode(ROOT)] in mounted and all("." in path.name for path in ROOT.iterdir()):
        _libc.umount2(os.fsencode(ROOT), 0)


def _is_mounted() -> bool:
    answer = ctypes.create_string_buffer(256)
    if _libc.statfs(os.fsencode(ROOT), answer):
        return False
    return int.from_bytes(answer.raw[:4], "little") == _BPF_FS_MAGIC
