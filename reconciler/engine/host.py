"""The loop that ties the concentrator to the world: sockets, clock, data path.

One turn: wait, feed what has arrived, let due timers run, perform the effects. Neighbours: ``service``
registers its sockets here and is told of events. It must not decide anything about a session.
"""

from __future__ import annotations

import gc
import logging
import select
from collections import Counter, deque
from operator import add
from time import monotonic
from typing import TYPE_CHECKING

from reconciler.blame import described
from reconciler.engine.access.discovery import Listener
from reconciler.engine.access.effects import (
    Ask,
    ClosePath,
    Dropped,
    Effect,
    Event,
    Fault,
    OpenPath,
    Send,
    Shape,
)
from reconciler.engine.access.reasons import End
from reconciler.engine.counts import Counts
from reconciler.engine.datapath.base import Counters, PathError
from reconciler.engine.ports import Port
from reconciler.engine.shaper import Shaper
from reconciler.engine.wire.drop import Drop
from reconciler.engine.workers import Answer, Workers
from reconciler.linux.manager import Manager

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.engine.access.concentrator import Concentrator, Outcome
    from reconciler.engine.access.effects import Key
    from reconciler.engine.chronicle import Chronicle
    from reconciler.engine.datapath.base import DataPath

INSPECTION = 1.0
"""Seconds between two looks at whether the interfaces are still those that were opened."""
IDLE_LOOK = 10.0
"""Seconds between two looks at which sessions carry anything, where that matters."""
GOODBYE = 4.0
"""Seconds that subscribers get to answer a Terminate-Request when the engine shuts down."""

_NOTHING = Counters()

log = logging.getLogger("reconciler.engine")


class Host:
    """Runs one concentrator over one data path. ``on_event`` hears of each event as it happens. The service
    manager is told every second that the loop turns.
    """

    def __init__(
        self,
        concentrator: Concentrator,
        datapath: DataPath,
        chronicle: Chronicle,
        manager: Manager | None = None,
    ) -> None:
        self.concentrator = concentrator
        self.datapath = datapath
        self.datapath_choice = ""
        """Why it is this one."""
        self.chronicle = chronicle
        self.ports: dict[str, Port] = {}
        self.shaper = Shaper(datapath.device)
        self.drops: Counter[Drop] = Counter()
        self.counts = Counts()
        self._past: dict[Key, Counters] = {}
        self.on_event: Callable[[Event], None] = lambda _event: None
        self._chores: deque[Iterator[object]] = deque()
        self._poll = select.epoll()
        self._readers: dict[int, Callable[[int], None]] = {}
        self._inspection = monotonic() + INSPECTION
        self._idle_look = 0.0
        self._end: float | None = None
        self._left = False
        self._manager = manager or Manager()
        self._workers = Workers(lambda ask: concentrator.waits(ask.key, ask.number))
        self.register(self._workers.fileno(), self._attend_workers)
        descriptor = datapath.fileno()
        if descriptor is not None:
            self.register(descriptor, self._attend_datapath)

    # Serving interfaces

    def listen(self, name: str, generation: int) -> Port:
        """Serve an interface. Raises ``OSError`` if it is not there, or may not be opened, and ``PathError``
        if the data path cannot carry its packets.
        """
        port = self.ports.get(name) or self._open(name)
        self._serve(port, generation)
        return port

    def unlisten(self, name: str, reason: str) -> Outcome:
        """Serve an interface no more; its sessions end."""
        outcome = self.concentrator.lose(name, reason, monotonic())
        self.perform(outcome.effects)
        port = self.ports.pop(name, None)
        if port is not None:
            for sock in port.sockets.values():
                self.unregister(sock.fileno())
            port.close()
            self.datapath.detach(name)
            self.chronicle.not_served(name)
            self.chronicle.commit()
        return outcome

    def _serve(self, port: Port, generation: int) -> None:
        here = port.interface
        self.concentrator.listen(Listener(here.name, here.mac, here.mtu), generation)

    def _open(self, name: str) -> Port:
        port = Port(name, self._manager)
        try:
            self.datapath.attach(name, port.interface.ifindex, port.interface.mac)
        except PathError:
            port.close()
            raise
        self._settle()
        self.ports[name] = port
        for sock in port.sockets.values():
            self.register(sock.fileno(), self._reader(port, sock))
        self.chronicle.served(port.interface)
        self.chronicle.commit()
        return port

    def _reader(self, port: Port, sock: socket.socket) -> Callable[[int], None]:
        def read(_mask: int) -> None:
            now = monotonic()
            receive, name = self.concentrator.receive, port.interface.name
            self.perform([effect for frame in port.frames(sock) for effect in receive(name, frame, now)])

        return read

    # The loop

    def register(self, descriptor: int, reader: Callable[[int], None], mask: int = select.EPOLLIN) -> None:
        """Call ``reader`` with the event mask whenever the descriptor has one of ``mask``."""
        self._readers[descriptor] = reader
        self._poll.register(descriptor, mask)

    def modify(self, descriptor: int, mask: int) -> None:
        """Wait for other events from now on."""
        self._poll.modify(descriptor, mask)

    def unregister(self, descriptor: int) -> None:
        """Wait for nothing from this descriptor any more."""
        del self._readers[descriptor]
        self._poll.unregister(descriptor)

    def past(self, key: Key) -> Counters:
        """What the closed paths of a session have carried that is not over yet."""
        return self._past.get(key, _NOTHING)

    def later(self, chore: Iterator[object]) -> None:
        """Do something long a step at a time, with a turn of the loop between two steps."""
        self._chores.append(chore)

    def run(self) -> None:
        """Serve until ``stop`` has been called and every session has said goodbye, or until ``leave``."""
        while not self._left and not self._finished():
            for descriptor, mask in self._poll.poll(self._timeout()):
                reader = self._readers.get(descriptor)
                if reader is not None:  # an earlier reader of this turn may have removed it
                    reader(mask)
            now = monotonic()
            due = self.concentrator.deadline()
            if due is not None and due <= now:
                self.perform(self.concentrator.tick(now))
            self._work()
            if self._inspection <= now:
                self._inspection = now + INSPECTION
                # What the last second has made is searched for garbage once; what is left of it will live on.
                # To search that again and again took a tenth of a second with 30,000 sessions; what ends is
                # freed without, since nothing in a session leads back to it.
                gc.collect()
                gc.freeze()
                self._inspect()
                self.chronicle.retry()
                self._end_idle(now)
                self.shaper.inspect()
                self._manager.alive()
        self._workers.close()
        if not self._left:
            for name in list(self.ports):
                self.unlisten(name, End.SHUTDOWN)
            self.shaper.end()
            self.datapath.shutdown()
            self.chronicle.end()

    def leave(self) -> None:
        """Let ``run`` return with every session as it is, for the next engine to go on with."""
        self._left = True

    def drain(self, rate: float | None) -> None:
        """Admit nobody and end ``rate`` sessions a second, also after a restart; None: be as usual again."""
        if rate is None:
            self.concentrator.admit()
        else:
            self.concentrator.drain(rate, monotonic())
        self.chronicle.draining(rate)
        self.chronicle.commit()

    def stop(self) -> None:
        """End every session politely, then let ``run`` return."""
        if self._end is None:
            now = monotonic()
            self._end = now + GOODBYE
            self.perform(self.concentrator.stop(now).effects)

    def perform(self, effects: Iterable[Effect], *, kept: bool = False) -> None:
        """Do what the concentrator wants: paths first, so that a first packet finds its path; then the
        journal, so that nobody is told what could be forgotten; then events, that a session's end can tell
        what it carried; then frames. ``kept``: the journal has the sessions that begin already.
        """
        sends: list[Send] = []
        asks: list[Ask] = []
        events: list[Event] = []
        paths = False
        for effect in effects:
            match effect:
                case Send():
                    sends.append(effect)
                case OpenPath(key, address, mtu):
                    self.datapath.open(key, address, mtu)
                    if not kept:
                        self.chronicle.session(self.concentrator.get(key))
                    paths = True
                case ClosePath(key):
                    self.datapath.close(key)
                    self.chronicle.no_session(key)
                    paths = True
                case Shape(address, rate):
                    self.shaper.set(address, rate)
                case Ask():
                    asks.append(effect)
                case Dropped(reason):
                    self.drops[reason] += 1
                case Event():
                    events.append(effect)
                case Fault(key, error):
                    self._report(f"session {key.id:#06x} on {key.interface}", error)
        if paths:
            self._settle()
            self.chronicle.commit()
        self._tell(events)
        self._send(sends)
        self._delegate(asks)

    def _settle(self) -> None:
        for key, carried in self.datapath.flush().items():
            self._past[key] = Counters(*map(add, carried, self.past(key)))

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self.counts.take(event)
            self.on_event(event)
            if event.type in ("session_closed", "dial_failed"):
                self._past.pop(event.key, None)

    def _send(self, sends: Iterable[Send]) -> None:
        for name, frame in sends:
            port = self.ports.get(name)
            if port is None or not port.send(frame):
                self.drops[Drop.SEND_FAILED] += 1

    def _delegate(self, asks: Iterable[Ask]) -> None:
        for ask in asks:
            if not self._workers.ask(ask):
                self._answer(Answer(ask.key, ask.number, None))

    def _work(self) -> None:
        """One step of the chore that waits for the longest."""
        if self._chores:
            chore = self._chores.popleft()
            if next(chore, self) is not self:
                self._chores.append(chore)

    def _timeout(self) -> float:
        if self._chores:
            return 0.0
        now = monotonic()
        due = self.concentrator.deadline()
        until = min(when for when in (due, self._inspection, self._end) if when is not None)
        return max(0.0, until - now)

    def _finished(self) -> bool:
        return self._end is not None and (len(self.concentrator) == 0 or self._end <= monotonic())

    def _inspect(self) -> None:
        for name, port in list(self.ports.items()):
            before = port.interface
            if not port.still_there():
                log.warning("interface %s was removed or replaced: its sessions are over", name)
                self.unlisten(name, End.INTERFACE_LOST)
                continue
            if missed := port.missed():
                self.drops[Drop.QUEUE_FULL] += missed
            here = port.interface
            if here.mtu != before.mtu:
                self._serve(port, self.concentrator.generation)
            if before.enabled and not here.enabled:
                log.warning("interface %s was set down: its sessions are over", name)
                outcome = self.concentrator.abandon(name, End.INTERFACE_DOWN, monotonic())
                self.perform(outcome.effects)

    def _end_idle(self, now: float) -> None:
        if now < self._idle_look + IDLE_LOOK or not self.concentrator.minds_idling:
            return
        self._idle_look = now
        carried = self.datapath.counters().items()
        packets = {key: count.rx_packets + count.tx_packets for key, count in carried}
        self.perform(self.concentrator.carried(packets, now))

    def _attend_datapath(self, _mask: int) -> None:
        now = monotonic()
        for name, frame in self.datapath.poll():
            self.perform(self.concentrator.receive(name, frame, now))

    def _attend_workers(self, _mask: int) -> None:
        for answer in self._workers.answers():
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        self.perform(self.concentrator.answered(*answer, monotonic()))

    def _report(self, what: str, error: Exception) -> None:
        """Where it happened, but not the error's text, which may quote what was received."""
        self.drops[Drop.INTERNAL_ERROR] += 1
        log.error("%s ended by an internal error: %s", what, described(error))
