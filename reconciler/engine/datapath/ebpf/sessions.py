"""The sessions in the maps, and what they have carried: written one by one, read at will.

What a session has carried is in its own entry, and nobody but the programs writes that while it is open; what
the closed sessions of an interface have carried is added up in the interface's entry of ``counts``.
Neighbours: ``path``; ``shared`` has the maps' memory. It must not know devices.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from reconciler.engine.datapath.base import Counters
from reconciler.engine.datapath.ebpf.layout import (
    ENTRY,
    Dropped,
    Port,
    Session,
    Wire,
)
from reconciler.engine.datapath.ebpf.shared import FullError, Lines, Numbers, Places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.linux.bpf import Map


class Closed(NamedTuple):
    """A session that was open: its address, and what it has carried."""

    address: bytes
    carried: Counters


class Sessions:
    """The maps' contents, as far as sessions and interfaces go. What is in the maps already is taken over."""

    def __init__(self, maps: Mapping[str, Map]) -> None:
        self._lines = Lines(maps["sessions"])
        self._places = Places(maps["addresses"], self._lines)
        self._ports = maps["ports"]
        self._counts, self._drops = Numbers(maps["counts"]), Numbers(maps["drops"])
        self.open_now: dict[Wire, bytes] = {}
        """The sessions that are open, each with its address."""
        for number in self._lines.open_now():
            self._take_over(number)
        self.ports = {ENTRY.unpack(key)[0]: Port.unpack(value) for key, value in self._ports.items()}
        taken = {port.slot for port in self.ports.values()}
        self._freed = deque(slot for slot in range(maps["counts"].shape.entries) if slot not in taken)

    def serve(self, ifindex: int, *, access_only: bool) -> None:
        """Count for an interface; what it has counted before stays."""
        before = self.ports.get(ifindex)
        port = Port(self._take() if before is None else before.slot, access_only)
        self._ports.put(ENTRY.pack(ifindex), port.pack())
        self.ports[ifindex] = port

    def leave(self, ifindex: int) -> None:
        """An interface is served no more: its sessions are closed."""
        for wire in [wire for wire in self.open_now if wire.ifindex == ifindex]:
            self.close(wire)
        port = self.ports.pop(ifindex, None)
        if port is not None:
            self._ports.remove(ENTRY.pack(ifindex))
            self._freed.append(port.slot)

    def open(self, wire: Wire, address: bytes, ac_mac: bytes, mtu: int) -> None:
        """Let a session's packets through. One that is open goes on counting. Raises ``FullError``."""
        session = Session(wire.ifindex, wire.mac, mtu, address, ac_mac)
        before = self._lines.get(wire.id)
        if before is not None:
            if (before.ifindex, before.mac, before.address) == (wire.ifindex, wire.mac, address):
                self._lines.renew(wire.id, session)
                return
            self.close(Wire(before.ifindex, before.mac, wire.id))
        self._lines.open(wire.id, session)
        self.open_now[wire] = address
        try:
            self._places.put(wire.id, address)
        except FullError:
            self.close(wire)
            raise

    def close(self, wire: Wire) -> Closed | None:
        """Stop a session's packets; what it was, if it was open."""
        address = self.open_now.pop(wire, None)
        if address is None:
            return None
        self._places.remove(wire.id, address)
        carried = self._lines.close(wire.id)
        port = self.ports.get(wire.ifindex)
        if port is not None:
            self._counts.add(port.slot, carried)
        return Closed(address, Counters(*carried))

    def carried(self, wire: Wire) -> Counters:
        """What a session that is open has carried."""
        return Counters(*self._lines.carried(wire.id))

    def carried_before(self, ifindex: int) -> Counters:
        """What the closed sessions of an interface have carried."""
        return Counters(*self._counts.get(self.ports[ifindex].slot))

    def dropped(self) -> Iterator[tuple[Dropped, int]]:
        """How many packets were dropped, by reason."""
        return ((reason, self._drops.get(reason)[0]) for reason in Dropped)

    def let_go(self) -> None:
        """Let go of the maps' memory."""
        for held in (self._lines, self._places, self._counts, self._drops):
            held.let_go()

    def _take_over(self, number: int) -> None:
        found = self._lines.get(number)
        if found is not None:
            self.open_now[Wire(found.ifindex, found.mac, number)] = found.address
            if not self._places.lead_to(number, found.address):  # the engine before was killed in between
                self._places.put(number, found.address)

    def _take(self) -> int:
        """A place for an interface's counts: the one that was freed longest ago, if no new one is left."""
        if not self._freed:
            raise FullError
        slot = self._freed.popleft()
        self._counts.clear(slot)
        return slot
