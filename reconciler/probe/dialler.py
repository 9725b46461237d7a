"""One call of a PPPoE subscriber, from the PADI to either side's end of it.

Sans-IO: frames and the time (monotonic seconds) go in; :class:`Send`, :class:`Up` and :class:`Ended` come
out. A call is made once; to redial, make another. Joins ``discovery`` and ``ppp`` and adds what those
lack: time. It knows nothing of the engine, and data packets do not pass here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from reconciler.probe.codec import Control, Discovery, read, write
from reconciler.probe.discovery import Finder
from reconciler.probe.outcome import Ended, Login, Output, Phase, Send, Timing, Up
from reconciler.probe.ppp import Ppp

_NEVER = float("inf")


class Dialler:
    """The call. :meth:`dial` starts it; after :class:`Ended` it never says anything again."""

    def __init__(
        self, mac: bytes, login: Login, entropy: Callable[[int], bytes], timing: Timing | None = None
    ) -> None:
        self.phase = Phase.DISCOVERY
        self._mac = mac
        self._login = login
        self._entropy = entropy
        self._timing = timing or Timing()
        self._finder = Finder(mac, login.service, entropy(8))
        self._ppp: Ppp | None = None
        self._furthest = Phase.DISCOVERY
        self._blame: tuple[Literal["ac", "us"], str] | None = None
        self._padt = False
        self._again_at = self._give_up_at = self._echo_at = _NEVER

    def dial(self, now: float) -> list[Output]:
        """Broadcast the PADI."""
        return self._ask(now)

    def receive(self, frame: bytes, now: float) -> list[Output]:
        """Take a frame from the wire; one that is not for this call changes nothing."""
        message = read(frame) if self.phase is not Phase.DEAD else None
        if message is None or message.destination != self._mac:
            return []
        if isinstance(message, Discovery):
            return self._on_discovery(message, now)
        return self._on_control(message, now)

    def tick(self, now: float) -> list[Output]:
        """Do what has come due by ``now``; too early is harmless."""
        if self.phase is Phase.DEAD:
            return []
        if now >= self._give_up_at:
            return self._over()
        out: list[Output] = []
        if now >= self._again_at:
            self._again_at = now + self._timing.retry
            again = self._ppp.request() if self._ppp else self._finder.request()
            out += [_send(again)] if again else []
        if now >= self._echo_at and self._ppp:
            if self._ppp.echoes_missed >= self._timing.echo_failures:
                return self._over()
            self._echo_at = now + self._timing.echo
            out += [_send(self._ppp.echo())]
        return out

    def hang_up(self, now: float) -> list[Output]:
        """End the call: Terminate-Request (RFC 1661 §5.5), then PADT once it is acknowledged, or nobody
        answers.
        """
        if self.phase in (Phase.DEAD, Phase.ENDING):
            return []
        self._blame = ("us", "hung up")
        if self._ppp is None:
            return self._over()
        request = self._ppp.terminate()
        self._enter(Phase.ENDING, now)
        return [_send(request)]

    def deadline(self) -> float | None:
        """When :meth:`tick` is next due, or None."""
        due = min(self._again_at, self._give_up_at, self._echo_at)
        return None if due == _NEVER else due

    def _ask(self, now: float) -> list[Output]:
        self._set_timers(now)
        return [_send(self._finder.request())]

    def _on_discovery(self, message: Discovery, now: float) -> list[Output]:
        if self._finder.ends(message):
            self._padt = True
            self._blame = self._blame or ("ac", "PADT")
            return self._over()
        if not self._finder.receive(message):
            return []
        if self._finder.refused is not None:
            self._blame = ("ac", self._finder.refused)
            return self._over()
        if not self._finder.session:
            return self._ask(now)
        line = (message.source, self._mac, self._finder.session)
        self._ppp = Ppp(line, self._login, self._entropy)
        self._enter(Phase.LINK, now)
        first = self._ppp.request()
        return [_send(first)] if first else []

    def _on_control(self, packet: Control, now: float) -> list[Output]:
        ppp, finder = self._ppp, self._finder
        if ppp is None or (packet.source, packet.session) != (finder.ac_mac, finder.session):
            return []
        out: list[Output] = [_send(answer) for answer in ppp.receive(packet)]
        if ppp.terminate_acked and self._blame == ("us", "hung up"):
            return out + self._over()
        if self.phase is Phase.ENDING:
            return out
        if ppp.refused is not None or ppp.terminated is not None:
            said = ppp.refused or f"Terminate-Request: {ppp.terminated}".removesuffix(": ")
            self._blame = ("ac", said)
            self._enter(Phase.ENDING, now)
        elif ppp.phase is not self.phase:
            self._enter(ppp.phase, now)
            out += [self._up()] if ppp.phase is Phase.OPEN else []
        return out

    def _enter(self, phase: Phase, now: float) -> None:
        if phase is not Phase.ENDING:
            self._furthest = phase if self._furthest is not Phase.OPEN else Phase.OPEN
        self.phase = phase
        self._set_timers(now)

    def _set_timers(self, now: float) -> None:
        timing, phase = self._timing, self.phase
        is_open, ending = phase is Phase.OPEN, phase is Phase.ENDING
        self._again_at = _NEVER if is_open or ending else now + timing.retry
        self._give_up_at = _NEVER if is_open else now + (timing.linger if ending else timing.patience)
        self._echo_at = now + timing.echo if is_open and timing.echo else _NEVER

    def _up(self) -> Up:
        assert self._ppp is not None
        address, peer, dns, mtu = self._ppp.granted()
        finder = self._finder
        mac = finder.ac_mac or b""
        return Up(address, peer, dns, mtu, finder.session, mac, finder.ac_name, self._ppp.method)

    def _over(self) -> list[Output]:
        by, reason = self._blame or ("silence", f"no answer in the {self.phase} phase")
        terminate_request = self._ppp is not None and self._ppp.terminated is not None
        # After a PADT nothing more may be sent, not even one of ours (RFC 2516 §5.5).
        last = [_send(self._finder.padt())] if self._finder.session and not self._padt else []
        self.phase = Phase.DEAD
        self._again_at = self._give_up_at = self._echo_at = _NEVER
        return [*last, Ended(self._furthest, by, reason, terminate_request, self._padt)]


def _send(message: Control | Discovery) -> Send:
    return Send(write(message))
