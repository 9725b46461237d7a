"""A subscriber as a process: dials in on ``eth0``, has its packets on ``ppp0``, and forgives nothing.

``python -m tests.root.strict_peer USER MAC MTU``: above 1492 it asks for larger packets (RFC 4638). Says
``{"address": ..., "mtu": ...}`` when it is up. For each line of its input it says what it saw, and at the
input's end for the last time: ``{"faults": [...], "rx_packets": n, "rx_bytes": n, "tx_packets": n,
"tx_bytes": n}``, ``tx`` being what it sent; packets are counted as IPv4 has them.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import sys
import time

from reconciler.linux import interface, links
from reconciler.linux.packet import EVERY_ETHERTYPE, open_packet_socket
from reconciler.linux.tun import open_tun
from tests.peer import Quirks, Subscriber
from tests.root.strict import Line, WrongError, packet_in
from tests.root.wire import NOT_OUR_OWN

_BURST = 64
_CONTROL = 0x8000
_SILENCE = 0.5
_USUAL, _MAX_PAYLOAD = 1492, 0x0120


class Peer:
    """One subscriber, its packet socket and its device."""

    def __init__(self, user: str, mac: bytes, mtu: int) -> None:
        tags = ((_MAX_PAYLOAD, mtu.to_bytes(2, "big")),) if mtu > _USUAL else ()
        self.subscriber = Subscriber(mac, user.encode(), quirks=Quirks(mru=mtu), extra_tags=tags)
        self.wire = open_packet_socket("eth0", EVERY_ETHERTYPE, (NOT_OUR_OWN,))
        self.wire.setblocking(True)  # it waits for room when it sends
        self.line: Line | None = None
        self.tun = -1
        self.faults: list[str] = []
        self.carried = dict.fromkeys(("rx_packets", "rx_bytes", "tx_packets", "tx_bytes"), 0)

    def run(self) -> None:
        self.send(self.subscriber.dial(time.monotonic()))
        while True:
            waiting = [self.wire.fileno(), sys.stdin.fileno()] + ([self.tun] if self.line else [])
            due = self.subscriber.deadline()
            ready = select.select(waiting, [], [], None if due is None else max(0.0, due - time.monotonic()))[
                0
            ]
            if self.wire.fileno() in ready:
                self.hear()
            if self.line and self.tun in ready:
                self.speak(self.line)
            self.send(self.subscriber.tick(time.monotonic()))
            if self.line is None and self.subscriber.state == "up":
                self.begin()
            if sys.stdin.fileno() in ready:
                if not os.read(sys.stdin.fileno(), 1):
                    return
                self.tell()

    def tell(self) -> None:
        """Say what was seen."""
        say({"faults": self.faults, **self.carried})

    def settle(self) -> None:
        """Take what still comes, until nothing has come for a while."""
        both = [self.wire.fileno(), self.tun]
        while self.line and (ready := select.select(both, [], [], _SILENCE)[0]):
            if self.wire.fileno() in ready:
                self.hear()
            if self.tun in ready:
                self.speak(self.line)

    def begin(self) -> None:
        one = self.subscriber
        self.line = Line(one.mac, one.ac_mac, one.session_id, one.address, one.mtu)
        address, peer = (socket.inet_ntoa(octets) for octets in (one.address, one.peer_address))
        self.tun, name = open_tun("ppp0")
        interface.set_mtu(name, one.mtu)
        links.assign(name, address, 32, peer)
        interface.set_up(name)
        links.default_route(device=name)
        say({"address": address, "mtu": one.mtu})

    def hear(self) -> None:
        for _ in range(_BURST):
            try:
                frame = self.wire.recv(1 << 17, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            data = frame[12:14] == b"\x88\x64" and not int.from_bytes(frame[20:22], "big") & _CONTROL
            if self.line is None or not data:
                self.send(self.subscriber.receive(frame, time.monotonic()))
                continue
            try:
                packet = packet_in(frame, self.line)
            except WrongError as wrong:
                self.faults.append(f"{wrong}: {frame[:64].hex()}")
                continue
            self.count("rx", packet)
            os.write(self.tun, packet)

    def speak(self, line: Line) -> None:
        for _ in range(_BURST):
            try:
                packet = os.read(self.tun, 1 << 16)
            except BlockingIOError:
                return
            if packet[0] >> 4 != 4:
                continue
            head = line.ac_mac + line.mac + b"\x88\x64\x11\0" + line.session_id.to_bytes(2, "big")
            try:
                self.send([head + (len(packet) + 2).to_bytes(2, "big") + b"\0\x21" + packet])
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                continue  # the other end has no room: lost before it was on the wire
            self.count("tx", packet)

    def count(self, way: str, packet: bytes) -> None:
        self.carried[f"{way}_packets"] += 1
        self.carried[f"{way}_bytes"] += len(packet)

    def send(self, frames: list[bytes]) -> None:
        for frame in frames:
            self.wire.send(frame.ljust(60, b"\0"))


def say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    peer = Peer(sys.argv[1], bytes.fromhex(sys.argv[2]), int(sys.argv[3]))
    peer.run()
    peer.settle()
    peer.tell()
