"""A subscriber's line: the sockets on its port, the call that is made over it, and the call's tunnel.

Carries out what the dialler says and redials when it is told to. Who gave the order and who is told is
the process's business.
"""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Callable, Iterable

from reconciler.linux import interface
from reconciler.linux.packet import NOT_PADI, PPP_CONTROL, open_packet_socket
from reconciler.probe.codec import DISCOVERY, SESSION
from reconciler.probe.dialler import Dialler
from reconciler.probe.outcome import Ended, Login, Output, Phase, Send, Up
from reconciler.probe.tunnel import Tunnel

_BATCH = 64
_NEVER = float("inf")

Tell = Callable[[str, dict[str, object]], None]
"""Receives the name of an event (``up``, ``failed``, ``down``) and its facts."""


class Line:
    """One port, with at most one call. What it watches is in ``selector``, each with its handler as data."""

    def __init__(self, port: str, selector: selectors.BaseSelector, tell: Tell) -> None:
        self._port = port
        self._mac = interface.read(port).mac
        self._selector = selector
        self._tell = tell
        self._login: Login | None = None
        self._dialler: Dialler | None = None
        self._tunnel: Tunnel | None = None
        self._up: dict[str, object] | None = None
        self._redial: float | None = None
        self._redial_at = _NEVER
        self._out = open_packet_socket(port, DISCOVERY, NOT_PADI)
        # Discovery first: a PADS is to be taken before the packets of the session that it opens.
        self._watch(self._out, lambda now: self._hear(self._out, now))
        control = open_packet_socket(port, SESSION, PPP_CONTROL)
        self._watch(control, lambda now: self._hear(control, now))

    @property
    def busy(self) -> bool:
        """There is a call that has not ended."""
        return self._dialler is not None and self._dialler.phase is not Phase.DEAD

    def dial(self, login: Login, redial: float | None, now: float) -> None:
        """Make a call; once it has ended, unless by us, make it again after ``redial`` seconds (None: do
        not).
        """
        self._login, self._redial, self._redial_at = login, redial, _NEVER
        self._dialler = Dialler(self._mac, login, os.urandom)
        self._perform(self._dialler.dial(now), now)

    def hang_up(self, now: float) -> None:
        """End the call, if there is one, and do not redial."""
        self._redial, self._redial_at = None, _NEVER
        if self._dialler is not None:
            self._perform(self._dialler.hang_up(now), now)

    def status(self) -> dict[str, object]:
        """How far the call is, and its facts while it is up."""
        phase = self._dialler.phase if self._dialler else Phase.DEAD
        return {"phase": phase, "mac": self._mac.hex(":"), "up": self._up}

    def deadline(self) -> float:
        """When :meth:`tick` is next due."""
        due = self._dialler.deadline() if self._dialler else None
        return min(self._redial_at, _NEVER if due is None else due)

    def tick(self, now: float) -> None:
        """Do what has come due."""
        if self._dialler is not None:
            self._perform(self._dialler.tick(now), now)
        if now >= self._redial_at and self._login is not None:
            self.dial(self._login, self._redial, now)

    def _hear(self, wire: socket.socket, now: float) -> None:
        for _ in range(_BATCH):
            try:
                frame = wire.recv(65535)
            except BlockingIOError:
                return
            if self._dialler is not None:
                self._perform(self._dialler.receive(frame, now), now)

    def _perform(self, outputs: Iterable[Output], now: float) -> None:
        for output in outputs:
            if isinstance(output, Send):
                self._out.send(output.frame)
            elif isinstance(output, Up):
                self._on_up(output)
            else:
                self._on_ended(output, now)

    def _on_up(self, up: Up) -> None:
        self._close_tunnel()
        tunnel = self._tunnel = Tunnel(self._port, self._mac, up)
        self._watch(tunnel.device, lambda _: tunnel.pump_out())
        self._watch(tunnel.wire, lambda _: tunnel.pump_in())
        self._up = {
            "address": up.address,
            "peer": up.peer,
            "dns": list(up.dns),
            "mtu": up.mtu,
            "id": up.session,
            "ac_name": up.ac_name,
            "ac_mac": up.ac_mac.hex(":"),
            "method": up.method,
        }
        self._tell("up", self._up)

    def _on_ended(self, ended: Ended, now: float) -> None:
        self._close_tunnel()
        facts: dict[str, object] = {
            "phase": ended.phase,
            "by": ended.by,
            "reason": ended.reason,
            "terminate_request": ended.terminate_request,
            "padt": ended.padt,
        }
        self._tell("down" if ended.phase is Phase.OPEN else "failed", facts)
        if self._redial is not None and ended.by != "us":
            self._redial_at = now + self._redial

    def _close_tunnel(self) -> None:
        self._up = None
        if self._tunnel is not None:
            self._selector.unregister(self._tunnel.device)
            self._selector.unregister(self._tunnel.wire)
            self._tunnel.close()
            self._tunnel = None

    def _watch(self, source: socket.socket | int, handler: Callable[[float], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, handler)
