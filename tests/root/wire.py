"""The reference subscriber on a real cable, in real time."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Callable

from reconciler.linux import netns
from reconciler.linux.packet import EVERY_ETHERTYPE, Test, open_packet_socket
from tests.patience import PATIENCE
from tests.peer import Subscriber

NOT_OUR_OWN = Test(load=0x20, offset=0xFFFFF004, jump=0x15, value=socket.PACKET_OUTGOING, want=False)


def put(sock: socket.socket, frame: bytes) -> None:
    """Send a frame: once the other end has room for it, since a cable loses nothing."""
    while True:
        try:
            sock.send(frame)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            time.sleep(0.001)
        else:
            return


class Cable:
    """The subscribers' end of ``eth0`` in a namespace: every subscriber hears and says everything here.

    ``heard`` keeps what came from the other end.
    """

    def __init__(self, namespace: str) -> None:
        self.subscribers: list[Subscriber] = []
        self.heard: list[bytes] = []
        with netns.inside(namespace):
            self._socket = open_packet_socket("eth0", EVERY_ETHERTYPE, (NOT_OUR_OWN,))

    def close(self) -> None:
        self._socket.close()

    def dial(self, subscriber: Subscriber) -> Subscriber:
        """Dial, and wait for the outcome."""
        if subscriber not in self.subscribers:
            self.subscribers.append(subscriber)
        self.say(subscriber.dial(time.monotonic()))
        self.until(lambda: subscriber.state in ("up", "closed", "failed"))
        return subscriber

    def say(self, frames: list[bytes]) -> None:
        for frame in frames:
            put(self._socket, frame)

    def until(self, done: Callable[[], bool]) -> None:
        """Let things happen until ``done``; fails when that takes too long."""
        end = time.monotonic() + PATIENCE
        while not done():
            now = time.monotonic()
            assert now < end, f"still {[s.state for s in self.subscribers]} after {PATIENCE} s"
            waiting = [s.deadline() for s in self.subscribers]
            wake = min([end, now + 0.05, *(when for when in waiting if when is not None)])
            if select.select([self._socket], [], [], max(0.0, wake - now))[0]:
                frame = self._socket.recv(65536)
                self.heard.append(frame)
                for subscriber in self.subscribers:
                    self.say(subscriber.receive(frame, time.monotonic()))
            for subscriber in self.subscribers:
                self.say(subscriber.tick(time.monotonic()))
