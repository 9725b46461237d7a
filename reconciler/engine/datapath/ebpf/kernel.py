"""The maps and programs of the object, in the kernel: those that an earlier engine pinned, or new ones.

Maps are kept, since the sessions are in them; programs are always loaded anew, so that what runs is what this
version ships. Neighbours: ``path``. It must not know what is in a map.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.engine.datapath.base import PathError
from reconciler.engine.datapath.ebpf import elf
from reconciler.linux import bpf
from reconciler.linux.bpf import Attach, Map, ProgramType

if TYPE_CHECKING:
    from reconciler.engine.datapath.ebpf.pins import Pins

OBJECT = Path(__file__).with_name("datapath.bpf.o")

_KINDS = {
    "xdp": (ProgramType.XDP, "upstream", Attach.XDP),
    "tc": (ProgramType.SCHED_CLS, "downstream", 0),
    "socket": (ProgramType.SOCKET_FILTER, "strays", 0),
}


class Loaded:
    """``maps`` by their names; ``xdp``, ``tc`` and ``socket`` are descriptors of programs."""

    def __init__(self, maps: dict[str, Map], programs: dict[str, int], held: ExitStack) -> None:
        self.maps = maps
        self._held = held
        self.xdp, self.tc, self.socket = (programs[section] for section in _KINDS)

    def close(self) -> None:
        """Close every descriptor. What is pinned, or attached by a link that is, goes on."""
        self._held.close()


def load(pins: Pins) -> Loaded:
    """Load the object, with the maps that are pinned as far as there are any. Raises ``BpfError``, and
    ``PathError`` if it is not for this machine.
    """
    if sys.byteorder != "little":
        raise PathError("the object is for little-endian machines")
    made = elf.read(OBJECT.read_bytes())
    bpf.allow_memory()
    maps: dict[str, Map] = {}
    programs: dict[str, int] = {}
    with ExitStack() as undo:
        for name, shape in made.maps.items():
            maps[name] = undo.enter_context(closing(_map(pins, name, shape)))
        descriptors = {name: held.fd for name, held in maps.items()}
        for section, (kind, name, attach) in _KINDS.items():
            code = made.programs[section].relocated(descriptors)
            programs[section] = bpf.load(kind, name, code, made.licence, attach)
            undo.callback(os.close, programs[section])
        return Loaded(maps, programs, undo.pop_all())


def _map(pins: Pins, name: str, shape: bpf.Shape) -> Map:
    held = pins.get(name)
    if held is not None:
        if bpf.shape_of(held) == shape:
            return Map(held, shape)
        os.close(held)
    made = Map.create(name, shape)
    pins.put(name, made.fd)
    return made
