"""Sessions in the arrays that the programs read, with memory in the kernel's place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from typing import Any, cast

import pytest

from reconciler.engine.datapath.base import Counters
from reconciler.engine.datapath.ebpf import elf, kernel
from reconciler.engine.datapath.ebpf.layout import COUNTS, MOST_MET, Session, Wire, place_of
from reconciler.engine.datapath.ebpf.sessions import Sessions
from reconciler.engine.datapath.ebpf.shared import FullError, Lines, Places
from reconciler.linux.bpf import Map, Shape

ETH0, ETH1 = 3, 4
THEO = Wire(ETH0, b"\2\xc1\0\0\0\1", 7)
ADDRESS, AC_MAC = bytes([10, 214, 2, 101]), b"\2ac\0\0\1"


class Array:
    """As much of an array as is mapped into memory."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.fd = os.memfd_create("array")
        os.ftruncate(self.fd, shape.entries * shape.value_size)


class Hash(dict[bytes, bytes]):
    """As much of a hash map as ``ports`` needs."""

    put = dict.__setitem__

    def remove(self, key: bytes) -> None:
        self.pop(key, None)


class Kernel:
    """The maps, which outlive every engine, and what the programs would see and do there."""

    def __init__(self) -> None:
        shapes = elf.read(kernel.OBJECT.read_bytes()).maps
        arrays = {name: Array(shapes[name]) for name in ("sessions", "addresses", "counts", "drops")}
        self.maps = cast("dict[str, Map]", {**arrays, "ports": Hash()})
        self.lines = Lines(self.maps["sessions"])
        self.places = Places(self.maps["addresses"], self.lines)
        self._arrays = arrays

    def close(self) -> None:
        for array in self._arrays.values():
            os.close(array.fd)

    def engine(self) -> Sessions:
        made = Sessions(self.maps)
        for ifindex in (ETH0, ETH1):
            made.serve(ifindex, access_only=False)
        return made

    def carry(self, number: int, *counts: int) -> None:
        numbers = self.lines.of("Q")
        at = (number * self.lines.size + COUNTS) // 8
        for n, more in enumerate(counts):
            numbers[at + n] += more


@pytest.fixture
def programs() -> Iterator[Kernel]:
    with closing(Kernel()) as made:
        yield made


def meeting(many: int) -> list[bytes]:
    """Addresses that meet in one place, each of another network."""
    return [
        (network << 16 | place_of((network << 16).to_bytes(4, "big")) ^ 5).to_bytes(4, "big")
        for network in range(0x0A00, 0x0A00 + many)
    ]


def test_a_session_that_is_opened_again_goes_on_counting_with_its_new_size(programs: Kernel) -> None:
    engine = programs.engine()
    engine.open(THEO, ADDRESS, AC_MAC, 1492)
    programs.carry(7, 1, 2, 3, 4)
    engine.open(THEO, ADDRESS, b"\2new\0\1", 1400)
    held = programs.lines.get(7)
    assert held is not None
    assert (held.mtu, held.ac_mac, held.address) == (1400, b"\2new\0\1", ADDRESS)
    assert engine.carried(THEO) == Counters(1, 2, 3, 4)
    assert engine.carried_before(ETH0) == Counters()


def test_an_id_that_comes_back_begins_at_0_and_its_interface_keeps_the_count(
    programs: Kernel,
) -> None:
    engine = programs.engine()
    other = Wire(ETH1, b"\2\xc1\0\0\0\2", 7)
    for wire in (THEO, other, THEO):
        engine.open(wire, ADDRESS, AC_MAC, 1492)
        assert engine.carried(wire) == Counters()
        programs.carry(7, 10, 20, 1, 2)
        closed = engine.close(wire)
        assert closed is not None
        assert closed.carried == Counters(10, 20, 1, 2)
        assert programs.lines.get(7) is None
    assert engine.carried_before(ETH0) == Counters(20, 40, 2, 4)
    assert engine.carried_before(ETH1) == Counters(10, 20, 1, 2)
    assert engine.close(THEO) is None


def test_an_id_that_is_given_to_somebody_else_is_first_taken_from_who_had_it(programs: Kernel) -> None:
    """As from an engine that nothing was written down of."""
    engine = programs.engine()
    engine.open(THEO, ADDRESS, AC_MAC, 1492)
    programs.carry(7, 10, 20, 1, 2)
    heir, other = programs.engine(), Wire(ETH1, THEO.mac, 7)
    heir.open(other, bytes([10, 214, 2, 102]), AC_MAC, 1492)
    assert list(heir.open_now) == [other]
    assert heir.carried(other) == Counters()
    assert heir.carried_before(ETH0) == Counters(10, 20, 1, 2)
    assert not programs.places.lead_to(7, ADDRESS)


def test_addresses_that_meet_are_all_found_whoever_goes_first(programs: Kernel) -> None:
    engine, addresses = programs.engine(), meeting(4)
    assert len({place_of(address) for address in addresses}) == 1
    wires = [Wire(ETH0, THEO.mac, number) for number in range(1, 5)]
    for gone in range(4):
        for wire, address in zip(wires, addresses, strict=True):
            engine.open(wire, address, AC_MAC, 1492)
        engine.close(wires[gone])
        found = [programs.places.lead_to(n, address) for n, address in enumerate(addresses, 1)]
        assert found == [n != gone for n in range(4)]


def test_more_addresses_than_the_programs_look_at_are_refused_and_leave_nothing(programs: Kernel) -> None:
    engine, addresses = programs.engine(), meeting(MOST_MET + 1)
    for number, address in enumerate(addresses[:-1], 1):
        engine.open(Wire(ETH0, THEO.mac, number), address, AC_MAC, 1492)
    one_more = Wire(ETH0, THEO.mac, MOST_MET + 1)
    with pytest.raises(FullError):
        engine.open(one_more, addresses[-1], AC_MAC, 1492)
    assert one_more not in engine.open_now
    assert programs.lines.get(one_more.id) is None
    engine.close(Wire(ETH0, THEO.mac, 1))
    engine.open(one_more, addresses[-1], AC_MAC, 1492)
    assert programs.places.lead_to(one_more.id, addresses[-1])


@pytest.mark.parametrize("network", ["0a000000", "c0a80000", "64400000", "00000000"])
def test_a_networks_addresses_each_have_a_place(network: str) -> None:
    first = int(network, 16)
    assert len({place_of((first + n).to_bytes(4, "big")) for n in range(65536)}) == 65536


class KilledError(BaseException):
    """The engine is no more."""


class Mortal:
    """Memory whose owner dies after so many writes to all that share ``left``."""

    def __init__(self, memory: Any, left: list[None]) -> None:
        self._memory, self._left = memory, left

    def __getitem__(self, where: Any) -> Any:
        return self._memory[where]

    def __setitem__(self, where: Any, value: Any) -> None:
        if not self._left:
            raise KilledError
        self._left.pop()
        self._memory[where] = value


def survives(engine: Sessions, writes: int, work: Callable[[], object]) -> bool:
    """Have the engine do its work, but for what comes after so many writes; whether that was all."""
    left = [None] * writes
    for owner, names in (
        (engine._lines, ("memory", "_shorts", "_interfaces", "_numbers")),
        (engine._places, ("_first",)),
    ):
        for name in names:
            setattr(owner, name, Mortal(getattr(owner, name), left))
    try:
        work()
    except KilledError:
        return False
    return True


@pytest.mark.parametrize("doing", ["open", "close"])
def test_an_engine_that_is_killed_at_any_write_leaves_a_whole_session_or_none(doing: str) -> None:
    """And everybody else is found all the while: the next engine mends at most the one in hand."""
    addresses = meeting(3)
    wires = [Wire(ETH0, THEO.mac, number) for number in (1, 2, 3)]
    for writes in count():
        with closing(Kernel()) as programs:
            engine = programs.engine()
            for wire, address in zip(wires, addresses, strict=True):
                if (wire, doing) != (wires[1], "open"):
                    engine.open(wire, address, AC_MAC, 1492)
            opens: Callable[[], object] = partial(engine.open, wires[1], addresses[1], AC_MAC, 1492)
            closes: Callable[[], object] = partial(engine.close, wires[1])
            survived = survives(engine, writes, opens if doing == "open" else closes)
            assert all(programs.places.lead_to(n, addresses[n - 1]) for n in (1, 3))
            heir = programs.engine()
            for wire, address in zip(wires, addresses, strict=True):
                assert programs.places.lead_to(wire.id, address) == (wire in heir.open_now)
            held = programs.lines.get(2)
            assert held in (None, Session(ETH0, THEO.mac, 1492, addresses[1], AC_MAC))
            heir.close(wires[1])
            heir.open(wires[1], addresses[1], AC_MAC, 1492)
            assert all(programs.places.lead_to(n, address) for n, address in enumerate(addresses, 1))
        if survived:
            break
    assert writes >= 2, "it was killed in between"
