"""One call, made to see how it goes: how far it comes, how long each phase takes, whether pings pass.

Makes no interface and no route: pings are put into the session's frames as they are. It hangs up at the end,
whatever happened. Neighbours: ``dialler`` is the call; ``line`` is for a subscriber who stays.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from reconciler.linux import interface
from reconciler.linux.packet import NOT_PADI, PPP_CONTROL, PPP_DATA, Test, open_packet_socket
from reconciler.probe.carrier import Carrier
from reconciler.probe.codec import DISCOVERY, SESSION
from reconciler.probe.dialler import Dialler
from reconciler.probe.outcome import Ended, Login, Output, Phase, Send, Timing, Up
from reconciler.probe.pinger import Report
from reconciler.probe.volley import Volley

_BATCH = 64

_Hear = Callable[[socket.socket], None]


class Trial:
    """For the time of a ``with`` block: :meth:`dial`, perhaps :meth:`ping`; its end hangs up.

    ``patience`` is in seconds, for each phase. Raises ``OSError`` when the port cannot be used.
    """

    def __init__(self, port: str, login: Login, patience: float) -> None:
        self.up: Up | None = None
        self.ended: Ended | None = None
        self.took: dict[Phase, float] = {}
        """Seconds for each phase that was passed, in order."""
        self._port = port
        self._mac = interface.read(port).mac
        self._dialler = Dialler(self._mac, login, os.urandom, Timing(patience=patience))
        self._selector = selectors.DefaultSelector()
        self._volley: Volley | None = None
        self._phase = Phase.DISCOVERY
        self._entered = 0.0

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self._selector.close)
            # Discovery first: a PADS is to be taken before the packets of the session that it opens.
            self._wire = self._listen(undo, DISCOVERY, NOT_PADI, self._hear)
            self._listen(undo, SESSION, PPP_CONTROL, self._hear)
            self._listen(undo, SESSION, PPP_DATA, self._hear_data)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._undo:
            self._perform(self._dialler.hang_up(time.monotonic()))
            self._run(lambda: self._dialler.phase is Phase.DEAD)

    def dial(self) -> bool:
        """Call. True once the call is up; otherwise ``ended`` says how far it came, and why no further."""
        self._entered = time.monotonic()
        self._perform(self._dialler.dial(self._entered))
        self._run(lambda: self.up is not None or self.ended is not None)
        return self.ended is None

    def ping(self, target: str) -> Report:
        """Ask an IPv4 address a few times through the call, which is up; returns once all is known."""
        assert self.up is not None
        volley = self._volley = Volley(self.up.address, target, os.getpid() & 0xFFFF, time.monotonic())
        self._run(lambda: volley.over or self.ended is not None)
        self._volley = None
        return volley.ledger.report()

    def _run(self, over: Callable[[], bool]) -> None:
        while not over():
            for key, _ in self._selector.select(self._timeout()):
                key.data(key.fileobj)
            now = time.monotonic()
            self._perform(self._dialler.tick(now))
            if self._volley is not None and self.up is not None and (packet := self._volley.tick(now)):
                self._wire.send(Carrier(self._mac, self.up).frame(packet))

    def _timeout(self) -> float | None:
        due = [self._dialler.deadline(), self._volley.deadline() if self._volley else None]
        return max(0.0, min((when for when in due if when is not None), default=0.0) - time.monotonic())

    def _hear(self, wire: socket.socket) -> None:
        for frame in _arrived(wire):
            self._perform(self._dialler.receive(frame, time.monotonic()))

    def _hear_data(self, wire: socket.socket) -> None:
        for frame in _arrived(wire):
            if self._volley is not None and self.up is not None:
                packet = Carrier(self._mac, self.up).packet(frame)
                self._volley.receive(packet or b"", time.monotonic())

    def _perform(self, outputs: Iterable[Output]) -> None:
        self._keep_time()
        for output in outputs:
            if isinstance(output, Send):
                self._wire.send(output.frame)
            elif isinstance(output, Up):
                self.up = output
            else:
                self.ended = output

    def _keep_time(self) -> None:
        phase, now = self._dialler.phase, time.monotonic()
        if phase is not self._phase:
            if phase not in (Phase.ENDING, Phase.DEAD):
                self.took[self._phase] = self.took.get(self._phase, 0.0) + now - self._entered
            self._phase, self._entered = phase, now

    def _listen(self, undo: ExitStack, ethertype: int, tests: Sequence[Test], hear: _Hear) -> socket.socket:
        wire = undo.enter_context(open_packet_socket(self._port, ethertype, tests))
        self._selector.register(wire, selectors.EVENT_READ, hear)
        return wire


def _arrived(wire: socket.socket) -> Iterator[bytes]:
    for _ in range(_BATCH):
        try:
            yield wire.recv(65535)
        except BlockingIOError:
            return
