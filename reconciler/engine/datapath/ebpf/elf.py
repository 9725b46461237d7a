"""A compiled eBPF object (ELF, 64 bit, little-endian) as maps and programs.

Pure: octets in, values out. It takes what our own source compiles to: maps in the section ``maps``, one
program a section, relocations of maps alone. It must not know the kernel.
"""

from __future__ import annotations

import struct
from struct import Struct
from typing import NamedTuple

from reconciler.linux.bpf import Shape

MAPS, LICENCE = "maps", "license"

_MAGIC = b"\x7fELF\x02\x01"
_EM_BPF = 247
_PROGBITS, _SYMBOLS, _RELOCATIONS = 1, 2, 9
_EXECUTABLE = 0x4
_MAP_VALUE = 1  # R_BPF_64_64
_LOAD_64, _PSEUDO_MAP_FD = 0x18, 1

_file = Struct("<16sHHIQQQIHHHHHH")
_section = Struct("<IIQQQQIIQQ")
_symbol = Struct("<IBBHQQ")
_relocation = Struct("<QQ")
_shape = Struct("<5I")
_instruction = Struct("<BBhi")


class NotOurObjectError(ValueError):
    """The file is not an object that our source compiles to."""


class Program(NamedTuple):
    """Instructions, and by their places in octets the maps that they refer to."""

    code: bytes
    maps: dict[int, str]

    def relocated(self, descriptors: dict[str, int]) -> bytes:
        """The instructions, with the descriptors of the maps filled in."""
        code = bytearray(self.code)
        for place, name in self.maps.items():
            operation, registers, offset, _ = _instruction.unpack_from(code, place)
            if operation != _LOAD_64:
                raise NotOurObjectError(f"{name} is used at {place} by something else than a load")
            registers = registers & 0x0F | _PSEUDO_MAP_FD << 4
            _instruction.pack_into(code, place, operation, registers, offset, descriptors[name])
        return bytes(code)


class Object(NamedTuple):
    """What is in the file: maps by name, programs by their section's name, and the licence of all."""

    maps: dict[str, Shape]
    programs: dict[str, Program]
    licence: str


class _Section(NamedTuple):
    name: str
    kind: int
    flags: int
    data: bytes
    link: int
    info: int


def read(data: bytes) -> Object:
    """Understand an object file. Raises ``NotOurObjectError``."""
    try:
        return _read(data)
    except (LookupError, ValueError, StopIteration, struct.error) as error:
        if isinstance(error, NotOurObjectError):
            raise
        raise NotOurObjectError(f"the object is damaged ({error})") from None


def _read(data: bytes) -> Object:
    sections = _sections(data)
    symbols = next(s for s in sections if s.kind == _SYMBOLS)
    names = sections[symbols.link].data
    table = [
        (_text(names, name), at, value) for name, _, _, at, value, _ in _symbol.iter_unpack(symbols.data)
    ]
    (maps_at,) = (n for n, section in enumerate(sections) if section.name == MAPS)
    maps = {
        name: Shape(*_shape.unpack_from(sections[maps_at].data, value))
        for name, at, value in table
        if at == maps_at and name
    }
    programs = {s.name: Program(s.data, {}) for s in sections if s.flags & _EXECUTABLE and s.data}
    for section in sections:
        if section.kind != _RELOCATIONS:
            continue
        target = programs[sections[section.info].name]
        for place, what in _relocation.iter_unpack(section.data):
            name, at, _ = table[what >> 32]
            if what & 0xFFFFFFFF != _MAP_VALUE or at != maps_at:
                raise NotOurObjectError(f"a relocation of {name or 'something'} that is no map")
            target.maps[place] = name
    (licence,) = (s.data.rstrip(b"\0").decode() for s in sections if s.name == LICENCE)
    return Object(maps, programs, licence)


def _sections(data: bytes) -> list[_Section]:
    header = _file.unpack_from(data)
    if not data.startswith(_MAGIC) or header[2] != _EM_BPF:
        raise NotOurObjectError("no little-endian object for eBPF")
    start, size, count, names_at = header[6], header[11], header[12], header[13]
    rows = [_section.unpack_from(data, start + n * size) for n in range(count)]
    names = data[rows[names_at][4] :]
    return [
        _Section(_text(names, name), kind, flags, data[at : at + length], link, info)
        for name, kind, flags, _, at, length, link, info, _, _ in rows
    ]


def _text(strings: bytes, at: int) -> str:
    return strings[at : strings.index(b"\0", at)].decode()
