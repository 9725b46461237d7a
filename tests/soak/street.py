"""Many subscribers on one cable, in one thread: who wants to be up dials until it is, and then pings.

Each is the reference subscriber (``tests.peer``) with an account of pings. A session that ends though nobody
said that it may is written down. Neighbours: ``operator`` says who may be ended; it must not know the
concentrator by anything but frames.
"""

from __future__ import annotations

import heapq
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from math import inf
from random import Random

from reconciler.linux import netns
from reconciler.linux.packet import EVERY_ETHERTYPE, Test, open_packet_socket
from tests.peer import Subscriber
from tests.soak.pings import Pings

PATIENCE = 120.0
"""Seconds until what should happen at once counts as not happening, on a machine that does much else."""
_BURST = 256
_DATA = b"\x00\x21"
_SESSION = b"\x88\x64"
_REQUESTS = (b"\xc0\x21\x01", b"\x80\x21\x01")
"""Configure-Requests of LCP and IPCP."""
EARLY = "links being agreed on"
"""Why pings are lost that are asked before the other end is up, too."""
_NOT_OUR_OWN = Test(load=0x20, offset=0xFFFFF004, jump=0x15, value=socket.PACKET_OUTGOING, want=False)


@dataclass(eq=False)
class Client:
    """One subscriber. ``wants``: it dials whenever it is down. ``leaving``: it has hung up itself.
    ``may_end``: its session may be ended from the other side. ``ends`` has the ends that were neither.
    """

    subscriber: Subscriber
    pings: Pings
    wants: bool = False
    leaving: bool = False
    may_end: bool = False
    up: bool = False
    redial_at: float = inf
    next_ping: float = inf
    ends: list[str] = field(default_factory=list)
    due: float = inf

    @property
    def name(self) -> str:
        return self.subscriber.ppp.user.decode()

    @property
    def address(self) -> str:
        return str(IPv4Address(self.subscriber.address))

    def __str__(self) -> str:
        it = self.subscriber
        wants = "wants to be up" if self.wants else "dials no more"
        said = f"{it.state}, {it.failure}" if it.failure else it.state
        return f"{self.name} at {it.mac.hex(':')}: {wants}, {said}, session {it.session_id}, {self.address}"


class Window:
    """A time in which pings get lost for a reason that is told apart. ``end`` is infinite while it lasts."""

    def __init__(self, why: str, start: float) -> None:
        self.why, self.start, self.end = why, start, inf


class Street(threading.Thread):
    """Runs from ``start`` to ``close``. Whoever looks at a client, or changes one, holds ``lock``.

    ``interval``: seconds between two pings of one client; ``back_off``: at most so many until one that is
    down dials again.
    """

    def __init__(
        self,
        namespace: str,
        clients: Iterable[Client],
        chance: Random,
        *,
        interval: float,
        back_off: float,
    ) -> None:
        super().__init__(name="street", daemon=True)
        self.clients = {client.subscriber.mac: client for client in clients}
        self.lock = threading.RLock()
        self.windows: list[Window] = []
        self.heard: list[bytes] = []
        self.broken: Exception | None = None
        self._interval = interval
        self._back_off = back_off
        self._chance = chance
        self._heap: list[tuple[float, int, Client]] = []
        self._order = {client: number for number, client in enumerate(self.clients.values())}
        self._closing = threading.Event()
        with netns.inside(namespace):
            self._socket = open_packet_socket("eth0", EVERY_ETHERTYPE, (_NOT_OUR_OWN,))

    def close(self) -> None:
        self._closing.set()
        self.join()
        self._socket.close()

    def run(self) -> None:
        try:
            while not self._closing.is_set():
                wait = self._heap[0][0] - time.monotonic() if self._heap else 0.05
                if select.select([self._socket], [], [], min(max(wait, 0.0), 0.05))[0]:
                    self._receive()
                self._tick()
        except Exception as error:  # told to whoever waits for the street
            self.broken = error

    # What others ask for

    def dial(self, client: Client) -> None:
        """Have it be up from now on."""
        with self.lock:
            client.wants, client.redial_at = True, inf if client.up else time.monotonic()
            self._plan(client)

    def hang_up(self, client: Client, *, polite: bool = True) -> None:
        """Have it be down from now on."""
        with self.lock:
            client.wants, client.redial_at = False, inf
            if client.up:
                client.leaving = True
                self._say(client.subscriber.hangup(time.monotonic(), polite=polite))
                self._judge(client)

    def give_up(self, client: Client) -> None:
        """Have it dial no more, once it is down. A dial that is under way is broken off: it would stand in
        another's way if it came through.
        """
        with self.lock:
            client.wants, client.redial_at = False, inf
            if not client.up:
                self._say(client.subscriber.hangup(time.monotonic(), polite=False))
                self._judge(client)

    def say(self, frames: Iterable[bytes]) -> None:
        """Put any frames on the cable."""
        with self.lock:
            self._say(frames)

    def until(self, done: Callable[[], bool], what: str, told: Callable[[], str] = str) -> None:
        """Wait until something holds of the clients. Raises ``AssertionError`` when it takes too long, with
        what is then ``told``.
        """
        assert self.comes(done, PATIENCE), f"waited {PATIENCE:g} s for {what}\n{told()}"

    def comes(self, done: Callable[[], bool], patience: float) -> bool:
        """Whether something comes to hold of the clients within so many seconds."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            with self.lock:
                if done():
                    return True
            if self.broken is not None:
                raise self.broken
            time.sleep(0.005)
        return False

    def window(self, why: str) -> Window:
        """Losses from now on have this reason, until the window's end is set."""
        opened = Window(why, time.monotonic())
        with self.lock:
            self.windows.append(opened)
        return opened

    def close_window(self, window: Window) -> None:
        """What is sent from now on is no longer lost for that reason."""
        window.end = time.monotonic()

    def rest(self, patience: float = 10.0) -> None:
        """Ask no more, and wait for the answers that are still on their way."""
        with self.lock:
            self._interval = inf
            for client in self.clients.values():
                client.next_ping = inf
        end = time.monotonic() + patience
        while self.losses()[""] and time.monotonic() < end:
            time.sleep(0.05)

    def up(self) -> int:
        with self.lock:
            return sum(client.up for client in self.clients.values())

    def losses(self) -> dict[str, int]:
        """Pings without an answer, by reason; those without any under the empty one."""
        counted = {"": 0, **dict.fromkeys((window.why for window in self.windows), 0)}
        with self.lock:
            for client in self.clients.values():
                for sent in client.pings.waiting.values():
                    counted[self._reason(sent)] += 1
            counted[EARLY] = sum(client.pings.early for client in self.clients.values())
        return counted

    def _reason(self, sent: float) -> str:
        # One that was on its way when it began is lost in it, too.
        return next((w.why for w in self.windows if w.start - 1.0 <= sent <= w.end), "")

    # The cable

    def _receive(self) -> None:
        with self.lock:
            for _ in range(_BURST):
                try:
                    frame = self._socket.recv(2048)
                except OSError:
                    return
                client = self.clients.get(frame[:6])
                if client is None:
                    continue
                if frame[12:14] == _SESSION and frame[20:22] == _DATA:
                    if client.up and int.from_bytes(frame[16:18], "big") == client.subscriber.session_id:
                        client.pings.take(frame[22 : 20 + int.from_bytes(frame[18:20], "big")])
                    continue
                if client.up and frame[12:14] == _SESSION and frame[20:23] in _REQUESTS:
                    client.pings.doubt(time.monotonic())
                self._say(client.subscriber.receive(frame, time.monotonic()))
                self._judge(client)

    def _say(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            if len(self.heard) < 512:
                self.heard.append(frame)
            else:
                self.heard[self._chance.randrange(512)] = frame
            with suppress(OSError):
                self._socket.send(frame)

    # Time

    def _tick(self) -> None:
        with self.lock:
            now = time.monotonic()
            while self._heap and self._heap[0][0] <= now:
                due, _, client = heapq.heappop(self._heap)
                if due == client.due:
                    client.due = inf
                    self._serve(client, now)

    def _serve(self, client: Client, now: float) -> None:
        subscriber = client.subscriber
        deadline = subscriber.deadline()
        if deadline is not None and deadline <= now:
            self._say(subscriber.tick(now))
        if client.wants and not client.up and client.redial_at <= now:
            client.redial_at = inf
            self._say(subscriber.dial(now))
        if client.up and client.next_ping <= now:
            client.next_ping = now + self._interval
            packet = client.pings.ask(now)
            with suppress(OSError):
                self._socket.send(
                    subscriber._frame(subscriber.ac_mac, 0x8864, 0, subscriber.session_id, _DATA + packet)
                )
        self._judge(client)

    def _judge(self, client: Client) -> None:
        """Take note of what has become of it."""
        up = client.subscriber.state == "up"
        now = time.monotonic()
        if up and not client.up:
            client.up, client.leaving = True, False
            client.pings.speak_as(client.subscriber.address)
            client.pings.doubt(now)
            client.next_ping = now + self._chance.uniform(0, self._interval)
        elif client.up and not up:
            client.up, client.next_ping = False, inf
            client.pings.waiting.clear()
            if not client.may_end and not client.leaving:
                client.ends.append(f"{client.name}: {client.subscriber.failure or 'ended'}")
        over = client.subscriber.state in ("closed", "failed", "idle")
        if client.wants and over and client.redial_at == inf:
            client.redial_at = now + self._chance.uniform(0, self._back_off)
        self._plan(client)

    def _plan(self, client: Client) -> None:
        deadline = client.subscriber.deadline()
        waiting = (deadline if deadline is not None else inf, client.redial_at, client.next_ping)
        due = min(waiting)
        if due != client.due and due < inf:
            client.due = due
            heapq.heappush(self._heap, (due, self._order[client], client))
