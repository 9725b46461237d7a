"""One reconciler to a runtime directory, and to a state directory: a lock that dies with its holder.

It must not know what is kept in either.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

NAME = "reconciler.lock"

LONGEST_PATH = 107 - len("/control.sock")
"""Octets of a runtime directory's path: a unix socket's address holds no more."""


class RuntimeDirError(Exception):
    """A directory cannot be used, or somebody else uses it. One line that says what to do."""


class Lock:
    """Held from :meth:`take` until :meth:`release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, directory: Path, option: str, mode: int = 0o750) -> Lock:
        """Make ``directory``, which ``option`` chose, if need be, and take its lock.

        Raises :class:`RuntimeDirError`.
        """
        if option == "--runtime-dir" and len(os.fsencode(directory)) > LONGEST_PATH:
            raise RuntimeDirError(f"{directory} is too long for sockets: choose a shorter {option}")
        try:
            directory.mkdir(mode=mode, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(directory / NAME, flags, 0o640)
        except OSError as error:
            advice = f"run as root, or choose another {option}"
            raise RuntimeDirError(f"cannot use {directory}: {error.strerror}: {advice}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            raise RuntimeDirError(
                f"another reconciler (pid {holder}) uses {directory}: stop it, or choose another {option}"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return cls(descriptor)

    def release(self) -> None:
        os.close(self._descriptor)
