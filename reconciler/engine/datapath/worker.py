"""The TUN worker: a process that moves packets and does what the engine tells it, one engine at a time.

It is a process of its own so that a busy subscriber delays no LCP echo, and so that it can outlive the
engine: when that ends without a word the packets go on, and the next engine takes over on the same socket.
Without one for long enough, it ends. Run as ``python -m reconciler.engine.datapath.worker RUNTIME_DIR
DEVICE``.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from pathlib import Path as FilePath
from time import monotonic

from reconciler.engine.datapath import records
from reconciler.engine.datapath.forward import Forwarder, Path, Port
from reconciler.engine.datapath.records import Op, Record, Tally
from reconciler.linux import interface
from reconciler.linux.tun import open_tun

ORPHANED = 300.0
"""Seconds without an engine after which the worker ends."""
MTU = 1492
"""Of the TUN device, in octets (RFC 2516 §7), until a session takes more (RFC 4638)."""


class Worker:
    """One TUN device, one listening socket, at most one engine."""

    def __init__(self, listening: socket.socket, tun: int, device: str) -> None:
        self._listening = listening
        self._device = device
        self._mtu = MTU
        self._forwarder = Forwarder(tun)
        self._engine: socket.socket | None = None
        self._pending = b""
        self._alone_since = monotonic()
        self._poll = select.epoll()
        self._poll.register(listening, select.EPOLLIN)
        self._poll.register(tun, select.EPOLLIN)
        self._ports: dict[int, Port] = {}
        self._ended: list[Tally] = []
        """What the paths have carried that were closed since somebody asked."""

    def run(self) -> None:
        """Move packets until told to quit, left alone for too long, or robbed of the device."""
        while self._engine is not None or monotonic() - self._alone_since < ORPHANED:
            for descriptor, mask in self._poll.poll(ORPHANED):
                if descriptor == self._forwarder.tun:
                    if mask & select.EPOLLERR:  # somebody has removed it: the engine starts another worker
                        return
                    self._forwarder.downstream()
                elif descriptor == self._listening.fileno():
                    self._welcome()
                elif (port := self._ports.get(descriptor)) is not None:
                    self._forwarder.upstream(port)
                elif self._engine is not None and not self._listen_to(self._engine):
                    return

    def close(self) -> None:
        """Hang up."""
        self._leave()

    def _welcome(self) -> None:
        """A new engine takes the place of the one before it."""
        if self._engine is not None:
            self._leave()
        self._engine, _ = self._listening.accept()
        self._pending = b""
        self._poll.register(self._engine, select.EPOLLIN)

    def _leave(self) -> None:
        if self._engine is not None:
            self._poll.unregister(self._engine)
            self._engine.close()
            self._engine = None
            self._alone_since = monotonic()

    def _listen_to(self, engine: socket.socket) -> bool:
        """Do what the engine asks. False: it said to quit."""
        try:
            data = engine.recv(65536)
            if not data:
                raise ConnectionResetError
            data = self._pending + data
            whole = len(data) - len(data) % records.record.size
            self._pending = data[whole:]
            for fields in records.record.iter_unpack(data[:whole]):
                if not self._obey(engine, Record(*fields)):
                    return False
        except ConnectionError:
            self._leave()
        return True

    def _obey(self, engine: socket.socket, asked: Record) -> bool:
        forwarder = self._forwarder
        match asked.op:
            case Op.HELLO:
                forwarder.doubt()
                engine.sendall(records.hello.pack(self._device.encode(), records.VERSION))
            case Op.PRUNE:
                self._prune()
            case Op.ATTACH:
                self._attach(asked)
            case Op.DETACH:
                self._detach(asked.ifindex)
            case Op.OPEN:
                self._raise_mtu(asked.mtu)
                forwarder.open(Path(asked.ifindex, asked.mac, asked.session_id, asked.address, asked.mtu))
            case Op.CLOSE:
                ended = forwarder.close(asked.ifindex, asked.mac, asked.session_id)
                if ended is not None:
                    self._ended.append(ended)
            case Op.SYNC:
                engine.sendall(records.tallies(self._ended))
                self._ended.clear()
            case Op.COUNTERS:
                engine.sendall(records.tallies(forwarder.tallies()))
        return asked.op != Op.QUIT

    def _raise_mtu(self, mtu: int) -> None:
        """The device takes what its largest session takes; the smaller ones' packets are cut, or refused."""
        if mtu > self._mtu:
            interface.set_mtu(self._device, mtu)
            self._mtu = mtu

    def _prune(self) -> None:
        ports, paths = self._forwarder.unwanted()
        for path in paths:
            self._forwarder.close(path.ifindex, path.mac, path.session_id)
        for ifindex in ports:
            self._detach(ifindex)

    def _attach(self, asked: Record) -> None:
        port = self._forwarder.ports.get(asked.ifindex)
        if port is not None and port.mac == asked.mac:
            port.wanted = True
            return
        self._detach(asked.ifindex)
        try:
            port = self._forwarder.attach(asked.interface.rstrip(b"\0").decode(), asked.ifindex, asked.mac)
        except OSError:  # the interface has just gone; the engine will notice and detach it
            return
        self._ports[port.socket.fileno()] = port
        self._poll.register(port.socket, select.EPOLLIN)

    def _detach(self, ifindex: int) -> None:
        port = self._forwarder.ports.get(ifindex)
        if port is not None:
            self._poll.unregister(port.socket)
            del self._ports[port.socket.fileno()]
            self._forwarder.detach(ifindex)


def main(runtime_dir: str, device: str) -> int:
    """Make the device, tell readiness by a line on standard output, and work. Exit status 1: it says why."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    path = FilePath(runtime_dir, records.SOCKET_NAME)
    try:
        tun, name = open_tun(device)
        interface.set_mtu(name, MTU)
        interface.set_up(name)
    except OSError as error:
        sys.stderr.write(f"{_explain(error)}\n")
        return 1
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(1)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        worker = Worker(listening, tun, name)
        worker.run()
        path.unlink(missing_ok=True)
        os.close(tun)
        worker.close()  # last, since it tells that the device is gone
    return 0


def _explain(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no /dev/net/tun: load the tun module (modprobe tun), or let the container have the device"
    if isinstance(error, PermissionError):
        return "not allowed to make a TUN device: run as root, or with CAP_NET_ADMIN"
    return f"cannot make a TUN device: {error.strerror}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
