"""The sessions in the maps, and what they have carried: written one by one, read at will.

Each has an entry of ``counts`` of its own, which the programs write and nobody else while it is open; what
the closed sessions of an interface have carried is added up in the interface's. Neighbours: ``path``. It must
not know devices.
"""

from __future__ import annotations

import mmap
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from reconciler.engine.datapath.base import Counters
from reconciler.engine.datapath.ebpf.layout import (
    ENTRY,
    Dropped,
    Port,
    Session,
    Subscriber,
    Wire,
    address_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.linux.bpf import Map


class FullError(Exception):
    """The maps have no room for one more."""


class Closed(NamedTuple):
    """A session that was open: its address, and what it has carried."""

    address: bytes
    carried: Counters


class Open(NamedTuple):
    """A session that is open: its address and where it counts."""

    address: bytes
    slot: int


class Sessions:
    """The maps' contents, as far as sessions and interfaces go. What is in the maps already is taken over."""

    def __init__(self, maps: Mapping[str, Map]) -> None:
        self._sessions, self._addresses, self._ports = maps["sessions"], maps["addresses"], maps["ports"]
        self._counts = _Numbers(maps["counts"])
        self._drops = _Numbers(maps["drops"])
        self.open_now: dict[Wire, Open] = {}
        self.ports: dict[int, Port] = {}
        for key, value in self._sessions.items():
            found = Session.unpack(value)
            self.open_now[Wire.unpack(key)] = Open(found.address, found.slot)
        for key, value in self._ports.items():
            self.ports[ENTRY.unpack(key)[0]] = Port.unpack(value)
        taken = {held.slot for held in self.open_now.values()} | {port.slot for port in self.ports.values()}
        self._most = maps["counts"].shape.entries
        self._unused = max(taken, default=-1) + 1
        self._freed = deque(slot for slot in range(self._unused) if slot not in taken)

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
        before = self.open_now.get(wire)
        if before is not None and before.address != address:
            self.close(wire)
            before = None
        slot = self._take() if before is None else before.slot
        try:
            self._sessions.put(wire.pack(), Session(slot, address, ac_mac, mtu).pack())
            self.open_now[wire] = Open(address, slot)
            self._addresses.put(address_key(address), Subscriber(wire, slot, ac_mac, mtu).pack())
        except OSError as error:  # the kernel has no memory for it
            self.open_now[wire] = Open(address, slot)
            self.close(wire)
            raise FullError from error

    def close(self, wire: Wire) -> Closed | None:
        """Stop a session's packets; what it was, if it was open."""
        was = self.open_now.pop(wire, None)
        if was is None:
            return None
        held = self._addresses.get(address_key(was.address))
        if held is not None and Subscriber.unpack(held).wire == wire:
            self._addresses.remove(address_key(was.address))
        self._sessions.remove(wire.pack())
        carried = self._counts.of(was.slot)
        port = self.ports.get(wire.ifindex)
        if port is not None:
            self._counts.add(port.slot, carried)
        self._freed.append(was.slot)
        return Closed(was.address, Counters(*carried))

    def carried(self, wire: Wire) -> Counters:
        """What a session that is open has carried."""
        return Counters(*self._counts.of(self.open_now[wire].slot))

    def carried_before(self, ifindex: int) -> Counters:
        """What the closed sessions of an interface have carried."""
        return Counters(*self._counts.of(self.ports[ifindex].slot))

    def dropped(self) -> Iterator[tuple[Dropped, int]]:
        """How many packets were dropped, by reason."""
        return ((reason, self._drops.of(reason)[0]) for reason in Dropped)

    def let_go(self) -> None:
        """Let go of the maps' memory."""
        self._counts.close()
        self._drops.close()

    def _take(self) -> int:
        if self._unused < self._most:
            slot, self._unused = self._unused, self._unused + 1
        elif self._freed:
            slot = self._freed.popleft()  # the one that was freed longest ago: nobody counts there any more
        else:
            raise FullError
        self._counts.clear(slot)
        return slot


class _Numbers:
    """An array of numbers of 64 bits that this process and the programs share."""

    def __init__(self, array: Map) -> None:
        shape = array.shape
        self._width = shape.value_size // 8
        self._memory = mmap.mmap(array.fd, shape.entries * shape.value_size)
        self._view = memoryview(self._memory).cast("Q")

    def of(self, entry: int) -> list[int]:
        """What was carried, from an entry of ``counts``; the number, from one of ``drops``."""
        at = entry * self._width
        return self._view[at : at + self._width].tolist()

    def add(self, entry: int, more: list[int]) -> None:
        at = entry * self._width
        for n, number in enumerate(more):
            self._view[at + n] += number

    def clear(self, entry: int) -> None:
        at = entry * self._width
        for n in range(at, at + self._width):
            self._view[n] = 0

    def close(self) -> None:
        self._view.release()
        self._memory.close()
