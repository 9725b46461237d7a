"""Many subscribers on one cable at once, each pinging without pause, in a thread of their own: what they
notice while something is done to the other end.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.patience import PATIENCE
from tests.peer import Subscriber
from tests.root.test_personas import ping
from tests.root.wire import Cable, put

INTERVAL = 0.5
"""Seconds between two pings of one subscriber."""
_TICK = 0.02


class Crowd:
    """``names`` dial in, password ``test``; once all are up they ping until ``lost()``."""

    def __init__(self, cable: Cable, names: tuple[str, ...]) -> None:
        self._socket = cable._socket
        self.members = {
            mac: Subscriber(mac, name.encode(), seed=number)
            for number, name in enumerate(names)
            for mac in (b"\x02\xc1\0\0" + number.to_bytes(2, "big"),)
        }
        self.sent = dict.fromkeys(self.members, 0)
        self.answered = dict.fromkeys(self.members, 0)
        self._next = dict.fromkeys(self.members, 0.0)
        self._pinging = threading.Event()
        self._redial = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crowd")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def up(self) -> int:
        return sum(member.state == "up" for member in self.members.values())

    def until_up(self) -> None:
        """Everybody is in and has had an answer."""
        self._wait(lambda: self.up == len(self.members), "everybody up")
        self._pinging.set()
        self._wait(lambda: all(self.answered.values()), "an answer for each")

    def until_answered(self) -> None:
        """Everybody has had an answer to something said from now on."""
        sent, answered = dict(self.sent), dict(self.answered)
        self._wait(lambda: all(self.sent[mac] > sent[mac] for mac in sent), "another question from each")
        self._wait(
            lambda: all(self.answered[mac] > answered[mac] for mac in answered), "another answer for each"
        )

    def until_down(self) -> None:
        """Nobody is up any more, and all know it."""
        self._wait(lambda: all(one.state in ("closed", "failed") for one in self.members.values()), "end")

    def dial_again(self) -> None:
        """Everybody calls once more."""
        self._pinging.clear()
        self._redial.set()
        self.until_up()

    def lost(self) -> dict[str, int]:
        """Stop pinging; who went without how many answers, by name."""
        self._pinging.clear()
        end = time.monotonic() + PATIENCE
        while self.sent != self.answered and time.monotonic() < end:
            time.sleep(_TICK)
        missing = {mac: self.sent[mac] - self.answered[mac] for mac in self.members}
        return {self.members[mac].ppp.user.decode(): count for mac, count in missing.items() if count}

    def _wait(self, fulfilled: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not fulfilled():
            assert time.monotonic() < end, f"no {what}: {self.up} of {len(self.members)} are up"
            time.sleep(_TICK)

    def _run(self) -> None:
        for number, member in enumerate(self.members.values()):
            self._say(member.dial(time.monotonic()))
            if number % 10 == 9:
                self._turn()
        while not self._over.is_set():
            self._turn()

    def _turn(self) -> None:
        if self._redial.is_set():
            self._redial.clear()
            for member in self.members.values():
                self._say(member.dial(time.monotonic()))
        while select.select([self._socket], [], [], _TICK)[0]:
            self._hear(self._socket.recv(65536))
        now = time.monotonic()
        for mac, member in self.members.items():
            self._say(member.tick(now))
            if self._pinging.is_set() and self._next[mac] <= now:
                self._next[mac] = now + INTERVAL
                self.sent[mac] += 1
                self._say([ping(member, self.sent[mac] & 0xFFFF)])

    def _hear(self, frame: bytes) -> None:
        member = self.members.get(frame[:6])
        if member is None:
            return
        if frame[12:14] == b"\x88\x64" and frame[20:22] == b"\0\x21":
            self.answered[frame[:6]] += 1
        else:
            self._say(member.receive(frame, time.monotonic()))

    def _say(self, frames: list[bytes]) -> None:
        for frame in frames:
            put(self._socket, frame)
