"""One reconciler to a runtime directory: a lock that dies with its holder, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

NAME = "reconciler.lock"


class RuntimeDirError(Exception):
    """The runtime directory cannot be used, or somebody else uses it. One line that says what to do."""


class Lock:
    """Held from :meth:`take` until :meth:`release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, runtime_dir: Path) -> Lock:
        """Make ``runtime_dir`` if need be, and take its lock. Raises :class:`RuntimeDirError`."""
        try:
            runtime_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(runtime_dir / NAME, flags, 0o640)
        except OSError as error:
            advice = "run as root, or choose another --runtime-dir"
            raise RuntimeDirError(f"cannot use {runtime_dir}: {error.strerror}: {advice}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            raise RuntimeDirError(
                f"another reconciler (pid {holder}) runs in {runtime_dir}:"
                " stop it, or choose another --runtime-dir"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return cls(descriptor)

    def release(self) -> None:
        os.close(self._descriptor)
