"""The ``tun`` data path: works on any kernel with TUN. This is the engine's side; ``worker`` moves the
packets.

It remembers what is open, so that a worker that dies is replaced by one that is told everything again.
"""

from __future__ import annotations

import select
import socket
import subprocess
import sys
from contextlib import suppress
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.engine.access.effects import Key
from reconciler.engine.datapath import records
from reconciler.engine.datapath.base import VIA, Counters, PathError
from reconciler.engine.datapath.records import Op, Record, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.engine.wire.drop import Drop

DEVICE = "pppoe%d"
"""Name of the TUN device; the kernel puts the first free number in."""
PATIENCE = 10.0
"""Seconds within which the worker must start, or answer."""


class TunDataPath:
    """All sessions on one TUN device. Raises ``PathError`` when no worker can be started."""

    name = "tun"
    device: str | None
    via: str | None = VIA

    def __init__(self, runtime_dir: Path) -> None:
        self._runtime_dir = runtime_dir
        self._ports: dict[str, tuple[int, bytes]] = {}
        self._paths: dict[Key, tuple[bytes, int]] = {}
        self._unsent = bytearray()
        self._ended: dict[Key, Counters] = {}
        self._watch = select.epoll()
        self._process: subprocess.Popen[str] | None = None
        self._worker, self.device = self._adopt() or self._start(DEVICE)

    def attach(self, interface: str, index: int, mac: bytes) -> None:
        self._ports[interface] = (index, mac)
        self._say(Record(Op.ATTACH, index, mac, interface=interface.encode()))

    def detach(self, interface: str) -> None:
        port = self._ports.pop(interface, None)
        self._paths = {key: path for key, path in self._paths.items() if key.interface != interface}
        if port is not None:
            self._say(Record(Op.DETACH, port[0]))

    def restrict(self, access_only: bool) -> None:
        if access_only:
            raise PathError("the data path tun cannot keep other traffic off an interface: that takes ebpf")

    def accept(self, size: int) -> None:
        """The device takes packets of any size from the worker."""

    def open(self, key: Key, address: bytes, mtu: int) -> None:
        port = self._ports.get(key.interface)
        if port is not None:
            self._paths[key] = (address, mtu)
            self._say(Record(Op.OPEN, port[0], key.mac, key.id, address, mtu))

    def close(self, key: Key) -> None:
        port = self._ports.get(key.interface)
        if port is not None and self._paths.pop(key, None) is not None:
            self._say(Record(Op.CLOSE, port[0], key.mac, key.id))

    def prune(self) -> None:
        self._say(Record(Op.PRUNE))
        self._settle()

    def flush(self) -> Mapping[Key, Counters]:
        self._settle()
        ended, self._ended = self._ended, {}
        return ended

    def counters(self) -> Mapping[Key, Counters]:
        return self._by_key(self._tallies())

    def traffic(self) -> Mapping[str, Counters]:
        names = {index: interface for interface, (index, _) in self._ports.items()}
        sums = {interface: Counters() for interface in self._ports}
        for t in self._tallies():
            if t.ifindex in names:
                name = names[t.ifindex]
                sums[name] = Counters(*map(add, sums[name], t[3:]))
        return sums

    def _by_key(self, tallies: list[Tally]) -> dict[Key, Counters]:
        names = {index: interface for interface, (index, _) in self._ports.items()}
        return {
            Key(names[t.ifindex], (), t.mac, t.session_id): Counters(*t[3:])
            for t in tallies
            if t.ifindex in names and t.session_id
        }

    def _tallies(self) -> list[Tally]:
        self._settle()
        self._say(Record(Op.COUNTERS))
        try:
            self._send()
            return records.receive_tallies(self._worker)
        except OSError:
            self._replace()
            return []

    def _settle(self) -> None:
        """Have the worker do all that it was told, and take note of what the paths that it closed carried."""
        if not self._unsent:
            return
        self._say(Record(Op.SYNC))
        try:
            self._send()
            self._ended |= self._by_key(records.receive_tallies(self._worker))
        except OSError:
            self._replace()

    def drops(self) -> Mapping[Drop, int]:
        return {}

    def fileno(self) -> int | None:
        return self._watch.fileno()

    def poll(self) -> list[tuple[str, bytes]]:
        """Outside of a request the worker says nothing, so what there is to read is its end."""
        if self._watch.poll(0):
            self._replace()
        return []

    def shutdown(self) -> None:
        self._unsent.clear()
        self._say(Record(Op.QUIT))
        try:
            self._send()
            self._worker.recv(1)  # until it has closed its end: then the device is gone
        except OSError:
            pass
        self._worker.close()
        self._watch.close()
        self._reap()

    def _say(self, record: Record) -> None:
        self._unsent += records.record.pack(*record)

    def _send(self) -> None:
        data = bytes(self._unsent)
        self._unsent.clear()
        self._worker.sendall(data)

    def _adopt(self) -> tuple[socket.socket, str] | None:
        """Take over the worker that an earlier engine left behind, if there is one, and what it carries.
        One of another version is replaced, which costs the packets of a moment.
        """
        worker = socket.socket(socket.AF_UNIX)
        worker.settimeout(PATIENCE)
        try:
            worker.connect(str(self._runtime_dir / records.SOCKET_NAME))
            worker.sendall(records.record.pack(*Record(Op.HELLO)))
            device, version = records.hello.unpack(records.receive(worker, records.hello.size))
        except OSError:
            worker.close()
            return None
        name = device.rstrip(b"\0").decode()
        if version != records.VERSION:
            worker.close()
            remove(self._runtime_dir)
            return self._start(name)
        self._watch.register(worker, select.EPOLLIN)
        return worker, name

    def _start(self, device: str) -> tuple[socket.socket, str]:
        process = self._process = subprocess.Popen(
            [sys.executable, "-m", "reconciler.engine.datapath.worker", str(self._runtime_dir), device],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        if process.stdout.readline() != "ready\n":
            message = process.stderr.read().strip()
            self._reap()
            raise PathError(message or "the TUN worker did not start")
        adopted = self._adopt()
        if adopted is None:
            raise PathError("the TUN worker does not answer")
        return adopted

    def _reap(self) -> None:
        """Take note of the end of a worker that is ending, if it is a child of this process."""
        if self._process is not None:
            with self._process as process:
                process.wait()
            self._process = None

    def _replace(self) -> None:
        """The worker is gone: start another and tell it all that is open. The device keeps its name."""
        self._worker.close()
        self._reap()
        self._worker, self.device = self._start(self.device or DEVICE)
        self._unsent.clear()
        for interface, (index, mac) in self._ports.items():
            self._say(Record(Op.ATTACH, index, mac, interface=interface.encode()))
        for key, (address, mtu) in self._paths.items():
            self._say(Record(Op.OPEN, self._ports[key.interface][0], key.mac, key.id, address, mtu))
        self._settle()


def remove(runtime_dir: Path) -> None:
    """End the worker that an engine of this runtime directory has left behind, if there is one."""
    with socket.socket(socket.AF_UNIX) as worker, suppress(OSError):
        worker.settimeout(PATIENCE)
        worker.connect(str(runtime_dir / records.SOCKET_NAME))
        worker.sendall(records.record.pack(*Record(Op.QUIT)))
        worker.recv(1)  # until it has closed its end: then the device is gone
