"""Real traffic of strict subscribers through an engine, to a station on its other side.

::

    strict peer ── eth0 ─ the engine's namespace ─ eth1 ── far 192.0.2.2
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from reconciler.linux import links, netns, sysctl
from tests.patience import PATIENCE

FAR, NEAR = "192.0.2.2", "192.0.2.1"
BUSY = ("busy", "reset by peer", "closed unexpectedly", "refused", "Broken pipe")
"""What it says while its server is not yet done with the one before."""


class StrictPeer:
    """A subscriber's process, up; for the time of a ``with`` block. ``report`` is what it saw until the last
    ``look()``, and after the block all of it.
    """

    def __init__(self, namespace: str, user: str, mac: str, mtu: int = 1492) -> None:
        argv = [sys.executable, "-m", "tests.root.strict_peer", user, mac, str(mtu)]
        with netns.inside(namespace):
            self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.report: dict[str, Any] = {}
        self.address, self.mtu = "", 0

    def __enter__(self) -> Self:
        up = self._said()
        self.address, self.mtu = up["address"], up["mtu"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            self.report = self._said() if kind is None else {}
            process.kill()

    def look(self) -> dict[str, Any]:
        """What it has seen until now."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self.report = self._said()
        return self.report

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the subscriber ended"
        return dict(json.loads(line))


@contextlib.contextmanager
def far(namespace: str) -> Iterator[str]:
    """The other side: a namespace that routes everything by ours, where we are now, which forwards."""
    name = f"{namespace}-far"
    netns.create(name)
    try:
        links.create_veth("eth1", "eth0", name)
        links.assign("eth1", NEAR, 24)
        links.bring("eth1", up=True)
        with netns.inside(name):
            links.bring("lo", up=True)
            links.assign("eth0", FAR, 24)
            links.bring("eth0", up=True)
            links.default_route(gateway=NEAR)
        sysctl.write(sysctl.IP_FORWARD, 1)
        yield name
    finally:
        netns.remove(name)


@contextlib.contextmanager
def serving(namespace: str, *options: str) -> Iterator[None]:
    """An iperf3 server there; ``-1``: for one connection."""
    argv = ["iperf3", "-s", "--forceflush", *options]
    with netns.inside(namespace):
        server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    with server:
        assert server.stdout is not None
        while "listening" not in server.stdout.readline():
            pass
        try:
            yield
        finally:
            server.terminate()


def iperf3(namespace: str, *arguments: str, to: str = FAR) -> dict[str, Any]:
    """Send, from there, and give back how it went. Fails with what iperf3 says."""
    argv = ["iperf3", "-c", to, "-J", *arguments]
    end = time.monotonic() + PATIENCE
    while True:
        with netns.inside(namespace):
            done = subprocess.run(argv, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
        said = json.loads(done.stdout)
        if time.monotonic() > end or not any(word in said.get("error", "") for word in BUSY):
            break
        time.sleep(0.1)  # the server is not yet done with the one before
    assert "error" not in said, said["error"]
    return dict(said["end"])
