"""A data path at work on ``eth0``, and the subscriber's end of the cable, without an engine."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from pathlib import Path

from reconciler.engine.access.effects import Key
from reconciler.engine.datapath.base import DataPath
from reconciler.engine.datapath.ebpf.path import EbpfDataPath
from reconciler.engine.datapath.fit import checksum
from reconciler.engine.datapath.tun import TunDataPath
from reconciler.linux import interface, links, netlink
from tests.patience import PATIENCE

CLIENT = bytes.fromhex("02c100000001")
ADDRESS = bytes([10, 214, 2, 101])
PEER = "10.214.2.100"
POOL = "10.214.2.0/24"
KEY = Key("eth0", (), CLIENT, 7)


class Line:
    """One data path after another in one directory; ``now`` is the present one."""

    def __init__(self, directory: Path, kind: str, interface: str = "eth0") -> None:
        self.directory = directory
        self.kind = kind
        self._interface = interface
        self._workers: list[TunDataPath] = []
        self._kind: Callable[[Path], DataPath] = EbpfDataPath if kind == "ebpf" else TunDataPath
        self.now = self.make()

    def end(self) -> None:
        """Leave nothing."""
        self.now.shutdown()
        for path in self._workers:
            path._reap()

    def succeed(self) -> DataPath:
        """The engine is killed; another one comes."""
        self.kill()
        self.now = self.make()
        return self.now

    def kill(self) -> None:
        """Leave the data path as it is, without a word: its descriptors are closed."""
        if isinstance(self.now, TunDataPath):
            self.now._worker.close()
            self._workers.append(self.now)
        elif isinstance(self.now, EbpfDataPath):
            self.now._held.close()

    def lead(self) -> None:
        """Give the device our address and route the pool to it."""
        assert self.now.device is not None
        links.assign(self.now.device, PEER, 32)
        netlink.add_route(POOL, self.now.device, self.now.via)

    def make(self, *, served: bool = True) -> DataPath:
        """Another data path of the same directory."""
        path = self._kind(self.directory)
        if not served:
            return path
        here = interface.read(self._interface)
        path.attach(here.name, here.ifindex, here.mac)
        path.flush()
        return path


def frame(inside: bytes, source: bytes = CLIENT, session_id: int = 7, protocol: int = 0x0021) -> bytes:
    """A session frame to ``eth0``."""
    header = struct.pack("!HBBHHH", 0x8864, 0x11, 0, session_id, len(inside) + 2, protocol)
    return interface.read("eth0").mac + source + header + inside


def datagram(body: bytes, source: bytes = ADDRESS, to: str = PEER, port: int = 4000) -> bytes:
    """An IPv4 packet with UDP in it."""
    udp = struct.pack("!HHHH", 4001, port, 8 + len(body), 0) + body
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + source + socket.inet_aton(to)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + udp


def server(port: int = 4000) -> socket.socket:
    """A socket at our address."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE)
    sock.bind((PEER, port))
    return sock
