"""The real engine in the test's process, but for its sockets: host, commands, journal, restore, concentrator.

Its interfaces are those of a fake kernel, with the reference subscribers at the far end; its clock is told
the time. What the reconciler asks goes straight in. Neighbours: ``tests.loop.live`` puts a reconciler
before it.
"""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from math import inf
from pathlib import Path
from typing import Any
from unittest.mock import patch

from reconciler.engine import commands, host, observing, restore, views
from reconciler.engine.access.effects import Event, Key
from reconciler.engine.access.session import Session
from reconciler.engine.chronicle import Chronicle
from reconciler.engine.commands import CommandError
from reconciler.engine.datapath.null import NullDataPath
from reconciler.engine.host import Host
from reconciler.engine.journal import Journal
from reconciler.engine.messages import SessionView
from reconciler.engine.shaper import Shaper
from reconciler.linux import interface
from reconciler.linux.interface import Interface
from reconciler.resources.engine import EngineClient, NoEngineError, RefusedError
from tests.engine.access.bench import Entropy
from tests.fakes.kernel import FakeKernel
from tests.fakes.vault import FakeVault
from tests.peer import Subscriber

DEVICE = "tun0"


class Carrier(NullDataPath):
    """A data path with a device. It outlives the engine, as the worker does: what the next one does not ask
    for again goes when it is pruned.
    """

    device: str | None = DEVICE

    def __init__(self) -> None:
        super().__init__()
        self._doubted: set[Key] = set()

    def doubt(self) -> None:
        """Another engine has come."""
        self._doubted = set(self.paths)

    def open(self, key: Key, address: bytes, mtu: int, *rest: Any) -> None:
        self._doubted.discard(key)
        super().open(key, address, mtu, *rest)

    def prune(self) -> None:
        for key in self._doubted:
            self.close(key)


class Hosted:
    """One engine after another over one journal and one data path.

    ``lines`` has the subscribers of each interface. ``faults`` maps a request to how many of its next
    calls are refused. ``boundary`` is called before and after everything that is asked.
    """

    def __init__(self, directory: Path, kernel: FakeKernel) -> None:
        self.directory = directory
        self.now = 1000.0
        self.pid = 100
        self.lines: dict[str, list[Subscriber]] = {name: [] for name in kernel.interfaces}
        self.faults: dict[str, int] = {}
        self.boundary: Callable[[str], None] = lambda _what: None
        self.on_event: Callable[[Event], None] = lambda _event: None
        self.carrier = Carrier()
        self._kernel = kernel
        self._heard: deque[tuple[str, bytes]] = deque()
        self._patches = ExitStack()
        for module in (host, commands, views, restore):
            self._patches.enter_context(patch.object(module, "monotonic", lambda: self.now))
        self._patches.enter_context(patch.object(host, "Port", self._wire))
        self._patches.enter_context(patch.object(interface, "read", self._interface))
        self._start()

    def close(self) -> None:
        self._die()
        self._patches.close()

    def restart(self) -> None:
        """The engine dies as by SIGKILL, and another one takes over."""
        self._die()
        self._start()

    def _start(self) -> None:
        self.pid += 1
        self.carrier.doubt()
        self._journal = Journal(self.directory / "journal.sqlite", "boot", FakeVault())
        legacy = restore.read(self._journal)
        concentrator = restore.concentrator(legacy, self._journal, Entropy())
        self.host = Host(concentrator, self.carrier, Chronicle(self._journal, legacy.terms))
        self.host.shaper = Shaper(None)  # its queues would be the real kernel's
        self.host.on_event = lambda event: self.on_event(event)
        restore.restore(self.host, legacy, commands.user)
        self.carrier.prune()
        self.host.chronicle.commit()
        self.advance(1.0)

    def _die(self) -> None:
        self._journal.close()
        self.host._workers.close()
        self.host._poll.close()
        self.host.shaper.end()

    # What is asked of it

    def answer(self, do: str, take: Callable[[Any], object], arguments: dict[str, Any]) -> Any:
        """As the command socket would, and after that everybody has said what there is to say. ``take`` gets
        what comes before the answer's end.
        """
        self.boundary(f"before {do}")
        if self.faults.get(do, 0):
            self.faults[do] -= 1
            raise RefusedError("failed", "by chance")
        try:
            answer = commands.run(self.host, do, json.loads(json.dumps(arguments)))
            while isinstance(answer, Generator):
                answer = _next(answer, take)
        except CommandError as error:
            raise RefusedError(error.body["code"], error.body["message"]) from None
        self._talk()
        self.boundary(f"after {do}")
        answer = json.loads(json.dumps(answer))
        return {**answer, "pid": self.pid} if do == "hello" else answer

    def sessions(self) -> dict[tuple[str, str, int], SessionView]:
        """The sessions that are not being ended, by their identity."""
        parts = observing.observation(self.host, None, traffic=True)
        every = [session for part in parts if part for session in part["sessions"]]
        return {(s["interface"], s["mac"], s["id"]): s for s in every if s["state"] != "terminate"}

    def up(self) -> Iterator[Session]:
        """The sessions that carry packets."""
        return (session for session in self.host.concentrator if session.key in self.carrier.paths)

    def leases(self) -> dict[str, str]:
        """Who holds which address."""
        held = self.host.concentrator._admission._leases._live
        return {str(_address(address)): user.decode() for address, user in held.items()}

    # What the subscribers do

    def dial(self, subscriber: Subscriber, name: str) -> Subscriber:
        """Dial in on an interface, and nowhere else, until nothing more is said."""
        for line in self.lines.values():
            if subscriber in line:
                line.remove(subscriber)
        self.lines[name].append(subscriber)
        self._hear(name, subscriber.dial(self.now))
        self.advance(0.1)
        return subscriber

    def hang_up(self, subscriber: Subscriber, name: str, *, polite: bool) -> None:
        self._hear(name, subscriber.hangup(self.now, polite=polite))

    def advance(self, seconds: float) -> None:
        """Let time pass, deadline by deadline."""
        end = self.now + seconds
        everybody = [(name, one) for name, line in self.lines.items() for one in line]
        while True:
            waiting = [self.host.concentrator.deadline(), *(one.deadline() for _, one in everybody)]
            due = min((when for when in waiting if when is not None), default=inf)
            if due >= end:
                break
            self.now = max(due, self.now)
            self.host.perform(self.host.concentrator.tick(self.now))
            self._talk()
            for name, one in everybody:
                self._hear(name, one.tick(self.now))
        self.now = end

    def _hear(self, name: str, frames: list[bytes]) -> None:
        for frame in frames:
            self.host.perform(self.host.concentrator.receive(name, frame, self.now))
        self._talk()

    def _talk(self) -> None:
        while self._heard:
            name, frame = self._heard.popleft()
            for subscriber in self.lines[name]:
                for answer in subscriber.receive(frame, self.now):
                    self.host.perform(self.host.concentrator.receive(name, answer, self.now))

    # What it thinks is there

    def _interface(self, name: str) -> Interface:
        found = self._kernel.interface(name)
        if found is None:
            raise OSError(name)
        return found

    def _wire(self, name: str, *_more: object) -> _Wire:
        return _Wire(self._interface(name), self._heard)


class _Wire:
    """Stands for ``engine.ports.Port``."""

    def __init__(self, found: Interface, heard: deque[tuple[str, bytes]]) -> None:
        self.interface = found
        self.sockets: dict[str, socket.socket] = {}
        self._heard = heard

    def send(self, frame: bytes) -> bool:
        self._heard.append((self.interface.name, frame))
        return True

    def close(self) -> None:
        """There is nothing to close."""


class Direct(EngineClient):
    """The reconciler's end, without a socket in between. ``gone``: nobody answers any more."""

    def __init__(self, hosted: Hosted) -> None:
        super().__init__(hosted.directory)
        self._hosted = hosted
        self.gone = False

    def _call(
        self,
        do: str,
        timeout: float | None = None,  # noqa: ARG002 - nobody waits here
        take: Callable[[Any], object] = lambda _part: None,
        **arguments: Any,
    ) -> Any:
        if self.gone:
            raise NoEngineError("the engine does not answer")
        return self._hosted.answer(do, take, arguments)


def _next(slices: Generator[object, None, object], take: Callable[[Any], object]) -> object:
    """One part of a long answer; the generator until it gives the answer itself."""
    try:
        part = next(slices)
    except StopIteration as end:
        return end.value
    if part is not None:
        take(json.loads(json.dumps(part)))
    return slices


def _address(number: int) -> str:
    return ".".join(str(octet) for octet in number.to_bytes(4, "big"))


def key_of(key: Key) -> tuple[str, str, int]:
    """An engine's key as plans have it."""
    view = views.key_view(key)
    return view["interface"], view["mac"], view["id"]
