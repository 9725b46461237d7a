"""The load generator's process: a street of subscribers on one interface, told what to do on standard input.

One JSON object a line in, one out. ``dial``: so many subscribers dial in, ``window`` at a time, or ``rate``
a second however long each takes. ``echo``: one subscriber asks every ``every`` seconds for ``seconds`` and
tells how long each answer took. ``idle``: answer echoes for so long. It says what it cost itself, so that
nobody takes its limit for the server's.
"""

from __future__ import annotations

import select
import socket
import sys
from collections.abc import Iterator
from time import monotonic, process_time
from typing import Any, Final

from bench.orders import serve
from bench.subscribers import STREETS, Street

BURST: Final = 64
AGAIN: Final = 2.0
"""Seconds after which a subscriber that got nowhere dials again."""


class Generator:
    """A street and its sockets."""

    def __init__(self, interface: str, method: str) -> None:
        self.street: Street = STREETS[method]()
        self._sockets = [_socket(interface, ethertype) for ethertype in (0x8864, 0x8863)]
        self._again = 0

    def pump(self, timeout: float) -> None:
        """Answer what has come, waiting for it at most so many seconds."""
        ready, _, _ = select.select(self._sockets, [], [], max(timeout, 0.0))
        now, receive = monotonic(), self.street.receive
        for sock in ready:
            for frame in _arrived(sock):
                for answer in receive(frame, now):
                    self.send(answer)

    def send(self, frame: bytes) -> None:
        self._sockets[0].send(frame)

    def dial(self, first: int, count: int, window: int = 64, rate: float = 0.0) -> dict[str, Any]:
        """Have these subscribers dial in; ``rate`` 0: a new one as soon as another is up."""
        street, began, cpu = self.street, monotonic(), process_time()
        waiting = iter(range(first, first + count))
        busy: dict[int, float] = {}
        left, told, up = count, 0, 0
        while up < count:
            now = monotonic()
            room = min(window - len(busy), left) if not rate else min(int((now - began) * rate) - told, left)
            for number in (next(waiting) for _ in range(room)):
                self.send(street.dial(number, now))
                busy[number] = now
            left, told = left - max(room, 0), told + max(room, 0)
            self.pump(0.001 if rate else 0.05)
            for number in [number for number in busy if number in street.open]:
                del busy[number]
                up += 1
            self._urge(busy)
        took = sorted(street.took[number] for number in range(first, first + count))
        seconds = monotonic() - began
        return {
            "seconds": seconds,
            "cpu": process_time() - cpu,
            "p50": took[len(took) // 2],
            "p99": took[len(took) * 99 // 100],
            "again": self._again,
        }

    def _urge(self, busy: dict[int, float]) -> None:
        now = monotonic()
        for number in [number for number, since in busy.items() if since + AGAIN < now]:
            self._again += 1
            busy[number] = now
            self.send(self.street.dial(number, now))

    def echo(self, number: int, seconds: float, every: float) -> dict[str, Any]:
        """How long the answers to a subscriber's Echo-Requests take; None for one without an answer."""
        end, sent, took = monotonic() + seconds, dict[int, float](), list[float]()
        times: list[float] = []
        due, identifier, asked_in_all = monotonic(), 0, 0
        while (now := monotonic()) < end or (sent and now < end + 1.0):
            if now >= due and now < end:
                identifier, asked_in_all = (identifier + 1) & 0xFF, asked_in_all + 1
                self.send(self.street.ask(number, identifier))
                sent[identifier], due = now, due + every
            for frame, at in self._echo_replies(max(0.0, min(due, end + 1.0) - monotonic())):
                asked = sent.pop(frame[23], None)
                if asked is not None:
                    took.append(at - asked)
                    times.append(asked)
        return {
            "took": took,
            "asked": times,
            "lost": asked_in_all - len(took),
            "sessions": len(self.street.open),
        }

    def _echo_replies(self, timeout: float) -> Iterator[tuple[bytes, float]]:
        ready, _, _ = select.select(self._sockets, [], [], timeout)
        for sock in ready:
            for frame in _arrived(sock):
                now = monotonic()
                if frame[20:23] == b"\xc0\x21\x0a":
                    yield frame, now
                for answer in self.street.receive(frame, now):
                    self.send(answer)

    def idle(self, seconds: float) -> dict[str, Any]:
        """Answer echoes for a while."""
        end, before, cpu = monotonic() + seconds, self.street.echoes, process_time()
        while (left := end - monotonic()) > 0:
            self.pump(min(left, 0.2))
        return {
            "echoes": self.street.echoes - before,
            "sessions": len(self.street.open),
            "cpu": process_time() - cpu,
        }


def _arrived(sock: socket.socket) -> Iterator[bytes]:
    for _ in range(BURST):
        try:
            yield sock.recv(2048)
        except BlockingIOError:
            return


def _socket(interface: str, ethertype: int) -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind((interface, ethertype))
    return sock


def main() -> None:
    """Serve orders until there are no more."""
    interface, method = sys.argv[1:]
    serve(Generator(interface, method))


if __name__ == "__main__":
    main()
