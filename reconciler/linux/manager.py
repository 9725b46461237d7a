"""The service manager that started this process, if one did (sd_notify(3), sd_listen_fds(3)).

It is told that the process is ready and alive, and keeps descriptors for the process that comes after. Where
there is no such manager, every call does nothing. Standard library alone: the engine imports this. It must
not know what a descriptor is for.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

FIRST_KEPT = 3
"""Number of the first descriptor that a manager hands over (SD_LISTEN_FDS_START)."""


class Manager:
    """Speaks to the manager that ``environ`` names, and takes from there what is meant for this process
    alone, so that its children do not take it for theirs.
    """

    def __init__(self, environ: MutableMapping[str, str] | None = None) -> None:
        environ = {} if environ is None else environ
        self._address = _address(environ.pop("NOTIFY_SOCKET", ""))
        watchdog = environ.pop("WATCHDOG_USEC", "0")
        self.watched = _meant_for_us(environ, "WATCHDOG_PID") and watchdog != "0"
        """Whether the manager ends a process that does not call :meth:`alive` often enough."""
        self._kept = _kept(environ) if _meant_for_us(environ, "LISTEN_PID") else {}

    def say(self, *assignments: str) -> None:
        """Tell the manager something, such as ``READY=1``. One that does not listen is not waited for."""
        self._send("\n".join(assignments))

    def alive(self) -> None:
        """Tell the manager that this process is not stuck."""
        if self.watched:
            self._send("WATCHDOG=1")

    def take(self, name: str) -> int | None:
        """The descriptor that an earlier process left under this name, None when there is none. It is the
        caller's from now on.
        """
        return self._kept.pop(name, None)

    def keep(self, name: str, descriptor: int) -> None:
        """Leave a copy of a descriptor with the manager. ``name`` holds no colon and no control character."""
        self._send(f"FDSTORE=1\nFDNAME={name}", descriptor)

    def forget(self, name: str) -> None:
        """Have the manager close what it keeps under a name."""
        self._send(f"FDSTOREREMOVE=1\nFDNAME={name}")

    def forget_untaken(self) -> None:
        """Close what an earlier process left and nobody took."""
        for name, descriptor in self._kept.items():
            os.close(descriptor)
            self.forget(name)
        self._kept.clear()

    def _send(self, text: str, *descriptors: int) -> None:
        if not self._address:
            return
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as way,
        ):
            way.connect(self._address)
            socket.send_fds(way, [text.encode()], descriptors)


def _address(written: str) -> str:
    """A path, or a name in the abstract namespace, written with an @ for its first octet."""
    return "\0" + written[1:] if written.startswith("@") else written


def _meant_for_us(environ: MutableMapping[str, str], key: str) -> bool:
    return environ.pop(key, str(os.getpid())) == str(os.getpid())


def _kept(environ: MutableMapping[str, str]) -> dict[str, int]:
    count = int(environ.pop("LISTEN_FDS", "0"))
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    descriptors = range(FIRST_KEPT, FIRST_KEPT + count)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return dict(zip(names, descriptors, strict=False))
