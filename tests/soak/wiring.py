"""Three namespaces: the street, the concentrator, and a host far behind it that answers pings.

::

    street eth0 ── eth0 concentrator eth1 ── eth0 far (10.9.0.2)

Nothing but cables: who lives there is another's business.
"""

from __future__ import annotations

import contextlib
import os
import signal
from types import TracebackType
from typing import Self

from reconciler.linux import links, netns, sysctl
from reconciler.linux.errors import KernelError

FAR = "10.9.0.2"
_GATEWAY = "10.9.0.1"


class Wiring:
    """For the time of a ``with`` block; what still runs inside is killed at its end."""

    def __init__(self) -> None:
        prefix = f"rcs-{os.getpid()}-{os.urandom(2).hex()}"
        self.street, self.ac, self.far = (f"{prefix}-{name}" for name in ("street", "ac", "far"))
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            for name in (self.street, self.ac, self.far):
                netns.create(name)
                undo.callback(_clear, name)
                with netns.inside(name):
                    links.bring("lo", up=True)
            self._join()
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def _join(self) -> None:
        with netns.inside(self.ac):
            links.create_veth("eth0", "eth0", self.street)
            links.create_veth("eth1", "eth0", self.far)
            links.assign("eth1", _GATEWAY, 24)
            sysctl.write(sysctl.IP_FORWARD, 0)
            for name in ("eth0", "eth1"):
                links.bring(name, up=True)
        with netns.inside(self.street):
            links.bring("eth0", up=True)
        with netns.inside(self.far):
            links.assign("eth0", FAR, 24)
            links.bring("eth0", up=True)
            links.default_route(gateway=_GATEWAY)


def _clear(name: str) -> None:
    with contextlib.suppress(KernelError):
        for process in netns.processes(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        netns.remove(name)
