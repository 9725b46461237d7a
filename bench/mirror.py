"""A subscriber whose packets its kernel carries: TCP runs over its session, and costs it little.

The session was opened by somebody else. A second eBPF data path, at the subscriber's end of the cable, takes
its frames apart and puts them together; to it the station beyond is the one subscriber behind the cable. It
is no judge of what it is sent: that is for the tests' strict peer.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.engine.access.effects import Key
from reconciler.engine.datapath.ebpf.path import EbpfDataPath, remove
from reconciler.linux import interface, links, netlink, netns

MTU = 1492


@contextmanager
def mirrored(namespace: str, mac: bytes, session: Key, address: str, beyond: str) -> Iterator[None]:
    """Let the kernel of ``namespace`` carry what ``address``, the subscriber with ``mac`` there, and the
    station ``beyond`` say to each other in ``session``, whose client, seen from there, is the concentrator.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name, netns.inside(namespace):
        path = EbpfDataPath(Path(name))
        path.attach(session.interface, interface.read(session.interface).ifindex, mac)
        path.open(session, socket.inet_aton(beyond), MTU)
        path.flush()
        assert path.device is not None
        try:
            links.assign(path.device, address, 32)
            netlink.add_route(f"{beyond}/32", path.device, path.via)
            yield
        finally:
            path.shutdown()
            remove(Path(name))
