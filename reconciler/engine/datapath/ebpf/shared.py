"""The programs' arrays in this process's memory: what is written there holds from the next packet on.

Neighbours: ``sessions``. It must not know why a session is opened or closed.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Literal

from reconciler.engine.datapath.ebpf.layout import AC_MAC, BEHIND, COUNTS, MOST_MET, MTU, Session, place_of

if TYPE_CHECKING:
    from reconciler.linux.bpf import Map


class FullError(Exception):
    """The maps have no room for one more."""


class Shared:
    """The memory of an array, its entries side by side."""

    def __init__(self, array: Map) -> None:
        self.size = array.shape.value_size
        self.memory = mmap.mmap(array.fd, array.shape.entries * self.size)
        self._views: list[memoryview[int]] = []

    def of(self, kind: Literal["H", "I", "Q"]) -> memoryview[int]:
        """The memory as numbers of this kind (of ``struct``)."""
        self._views.append(memoryview(self.memory).cast(kind))
        return self._views[-1]

    def let_go(self) -> None:
        """Let go of the memory; the array stays."""
        for view in self._views:
            view.release()
        self.memory.close()


class Numbers(Shared):
    """Entries of nothing but numbers of 64 bits: ``counts`` and ``drops``."""

    def __init__(self, array: Map) -> None:
        super().__init__(array)
        self._numbers = self.of("Q")
        self._width = self.size // 8

    def get(self, entry: int) -> list[int]:
        at = entry * self._width
        return self._numbers[at : at + self._width].tolist()

    def add(self, entry: int, more: list[int]) -> None:
        at = entry * self._width
        for n, number in enumerate(more):
            self._numbers[at + n] += number

    def clear(self, entry: int) -> None:
        at = entry * self._width
        for n in range(at, at + self._width):
            self._numbers[n] = 0


class Lines(Shared):
    """``sessions``: a line of the cache each, by their ids.

    A session's interface is written last and taken away first, so that the programs see a session that is
    whole, or none.
    """

    def __init__(self, array: Map) -> None:
        super().__init__(array)
        self._shorts, self._interfaces, self._numbers = self.of("H"), self.of("I"), self.of("Q")

    def open_now(self) -> list[int]:
        """The ids of those that are open."""
        interfaces = self._interfaces[:: self.size // 4].tolist()
        return [number for number, ifindex in enumerate(interfaces) if ifindex]

    def get(self, number: int) -> Session | None:
        """The session of this id; None if it is closed."""
        at = number * self.size
        session = Session.unpack(self.memory[at : at + self.size])
        return session if session.ifindex else None

    def open(self, number: int, session: Session) -> None:
        """Let the packets of a session through that was closed. It begins to count at 0."""
        at = number * self.size
        self.memory[at : at + self.size] = session._replace(ifindex=0).pack()
        self._interfaces[at // 4] = session.ifindex

    def renew(self, number: int, session: Session) -> None:
        """Change an open session's largest packet and our MAC address; it goes on counting."""
        at = number * self.size
        self._shorts[(at + MTU) // 2] = session.mtu
        self.memory[at + AC_MAC : at + AC_MAC + 6] = session.ac_mac

    def close(self, number: int) -> list[int]:
        """Stop a session's packets; what it has carried."""
        self._interfaces[number * self.size // 4] = 0
        return self.carried(number)

    def carried(self, number: int) -> list[int]:
        at = (number * self.size + COUNTS) // 8
        return self._numbers[at : at + 4].tolist()

    def behind(self, number: int) -> int:
        """The session behind this one in its place; 0 for none."""
        return self._shorts[(number * self.size + BEHIND) // 2]

    def put_behind(self, number: int, other: int) -> None:
        self._shorts[(number * self.size + BEHIND) // 2] = other


class Places(Shared):
    """``addresses``: in the place of an address is the id of the first session there, with others behind it.

    One number written takes a session in, or out. The programs find everybody else meanwhile, and an engine
    that is killed leaves at most the one in hand out.
    """

    def __init__(self, array: Map, lines: Lines) -> None:
        super().__init__(array)
        self._first, self._lines = self.of("H"), lines

    def lead_to(self, number: int, address: bytes) -> bool:
        """Whether the programs find this session by its address."""
        return number in self._met(place_of(address))

    def put(self, number: int, address: bytes) -> None:
        """Have an open session found, before any other of this address. Raises ``FullError``."""
        place = place_of(address)
        if len(self._met(place)) >= MOST_MET:
            raise FullError
        self._lines.put_behind(number, self._first[place])
        self._first[place] = number

    def remove(self, number: int, address: bytes) -> None:
        """Have a session not be found any more, if it is."""
        place = place_of(address)
        met = self._met(place)
        if number not in met:
            return
        at = met.index(number)
        if at:
            self._lines.put_behind(met[at - 1], self._lines.behind(number))
        else:
            self._first[place] = self._lines.behind(number)

    def _met(self, place: int) -> list[int]:
        met: list[int] = []
        number = self._first[place]
        while number and len(met) < MOST_MET:
            met.append(number)
            number = self._lines.behind(number)
        return met
