"""bpf(2): maps, programs, links and their names in a bpffs, by ctypes alone: no library, no compiler.

Standard library alone: the engine imports this. Every function raises :class:`BpfError`, an ``OSError`` with
one line; that of a refused program ends with what the verifier said last. It must not know what a map holds
or what a program does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import time
from contextlib import suppress
from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "loongarch64": 280, "armv7l": 386, "ppc64le": 361}
_VERIFIER_LOG = 1 << 20
_BATCH = 4096
_REFILL = (0.0001, 0.001, 0.01, 0.02, 0.05)
"""Seconds to wait while the kernel refills the stock from which it takes a map's new elements."""

_ANY = 0


class _Command(IntEnum):
    MAP_CREATE = 0
    MAP_LOOKUP_ELEM = 1
    MAP_UPDATE_ELEM = 2
    MAP_DELETE_ELEM = 3
    PROG_LOAD = 5
    OBJ_PIN = 6
    OBJ_GET = 7
    OBJ_GET_INFO_BY_FD = 15
    MAP_LOOKUP_BATCH = 24
    LINK_CREATE = 28
    LINK_UPDATE = 29
    LINK_DETACH = 34


class ProgramType(IntEnum):
    """What a program is run on."""

    SOCKET_FILTER = 1
    SCHED_CLS = 3
    XDP = 6


class Attach(IntEnum):
    """Where a link attaches its program."""

    XDP = 37
    TCX_INGRESS = 46


XDP_GENERIC, XDP_NATIVE = 1 << 1, 1 << 2
"""Flags of a link to :data:`Attach.XDP`: by the kernel for any device, or by the device's driver."""


class BpfError(OSError):
    """The kernel refused a request of bpf(2)."""

    def __str__(self) -> str:
        return str(self.strerror)


class Shape(NamedTuple):
    """A map's type, the octets of its keys and values, how many it takes, and its flags."""

    kind: int
    key_size: int
    value_size: int
    entries: int
    flags: int


_libc = ctypes.CDLL(None, use_errno=True)
_address = ctypes.addressof

_map_create = Struct("=5I8x16s")
_element = Struct("=I4xQQQ")
_prog_load = Struct("=IIQQIIQ8x16sI I")
_pin = Struct("=QII")
_batch = Struct("=QQQQIIQQ")
_info = Struct("=IIQ")
_link_create = Struct("=IIII16x")
_link_update = Struct("=IIII")
_link_detach = Struct("=I")
_link_info = Struct("=III4xI")
_map_info = Struct("=IIIIII")
_ZEROS = bytes(256)


class Map:
    """A map, by its descriptor. Keys and values are octets of the map's sizes."""

    __slots__ = ("_alone", "_both", "_key", "_value", "fd", "shape")

    def __init__(self, descriptor: int, shape: Shape) -> None:
        self.fd = descriptor
        self.shape = shape
        self._key = ctypes.create_string_buffer(shape.key_size)
        self._value = ctypes.create_string_buffer(shape.value_size)
        both = _element.pack(descriptor, _address(self._key), _address(self._value), _ANY)
        self._both = ctypes.create_string_buffer(both, len(both))
        alone = _element.pack(descriptor, _address(self._key), 0, _ANY)
        self._alone = ctypes.create_string_buffer(alone, len(alone))

    @classmethod
    def create(cls, name: str, shape: Shape) -> Map:
        """A new map, of which the kernel shows the first 15 characters of the name."""
        request = _map_create.pack(*shape, name.encode()[:15])
        return cls(_call(_Command.MAP_CREATE, request, f"make the map {name}"), shape)

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None if there is none."""
        self._key.raw = key
        if _raw(_Command.MAP_LOOKUP_ELEM, self._both) < 0:
            if ctypes.get_errno() != errno.ENOENT:
                raise _refused("read a map")
            return None
        return self._value.raw

    def put(self, key: bytes, value: bytes) -> None:
        """Give a key a value. Raises ``E2BIG`` when the map is full."""
        self._key.raw = key
        self._value.raw = value
        for pause in _REFILL:
            if _raw(_Command.MAP_UPDATE_ELEM, self._both) >= 0:
                return
            if ctypes.get_errno() != errno.ENOMEM:
                break
            time.sleep(pause)
        raise _refused("write to a map")

    def remove(self, key: bytes) -> None:
        """Take a key away, if it is there."""
        self._key.raw = key
        if _raw(_Command.MAP_DELETE_ELEM, self._alone) < 0 and ctypes.get_errno() != errno.ENOENT:
            raise _refused("remove from a map")

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Everything in a hash map, read in batches."""
        shape = self.shape
        keys = ctypes.create_string_buffer(_BATCH * shape.key_size)
        values = ctypes.create_string_buffer(_BATCH * shape.value_size)
        here, following = ctypes.create_string_buffer(8), ctypes.create_string_buffer(8)
        before, more = 0, True
        while more:
            places = (before, _address(following), _address(keys), _address(values))
            request = ctypes.create_string_buffer(_batch.pack(*places, _BATCH, self.fd, 0, 0), _batch.size)
            if _raw(_Command.MAP_LOOKUP_BATCH, request) < 0:
                if ctypes.get_errno() != errno.ENOENT:
                    raise _refused("read a map")
                more = False
            count = _batch.unpack(request.raw)[4]
            for n in range(count):
                key, value = n * shape.key_size, n * shape.value_size
                yield keys.raw[key : key + shape.key_size], values.raw[value : value + shape.value_size]
            here.raw = following.raw
            before = _address(here)

    def close(self) -> None:
        """Close the descriptor; the map lives on while a program or a name holds it."""
        os.close(self.fd)


def allow_memory() -> None:
    """Lift the limit on locked memory, against which kernels before 5.11 count maps."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def shape_of(descriptor: int) -> Shape:
    """The shape of the map behind a descriptor."""
    kind, _, *rest = _map_info.unpack(_information(descriptor, _map_info.size))
    return Shape(kind, *rest)


def load(kind: ProgramType, name: str, code: bytes, licence: str, attach: int = 0) -> int:
    """Have the kernel verify a program; gives its descriptor."""
    instructions = ctypes.create_string_buffer(code, len(code))
    terms = ctypes.create_string_buffer(licence.encode())
    doing = f"load the program {name}"

    def request(log: ctypes.Array[ctypes.c_char] | None) -> bytes:
        return _prog_load.pack(
            kind,
            len(code) // 8,
            _address(instructions),
            _address(terms),
            0 if log is None else 1,
            0 if log is None else len(log),
            0 if log is None else _address(log),
            name.encode()[:15],
            0,
            attach,
        )

    try:
        return _call(_Command.PROG_LOAD, request(None), doing)
    except BpfError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS):
            raise
        log = ctypes.create_string_buffer(_VERIFIER_LOG)
        with suppress(BpfError):
            return _call(_Command.PROG_LOAD, request(log), doing)
        said = [line for line in log.value.decode(errors="replace").splitlines() if line]
        raise BpfError(error.errno, "; ".join([str(error), *said[-3:]])) from None


def link(program: int, ifindex: int, attach: Attach, flags: int = 0) -> int:
    """Attach a program to a device for as long as the descriptor given, or a name, is held."""
    request = _link_create.pack(program, ifindex, attach, flags)
    return _call(_Command.LINK_CREATE, request, f"attach a program ({attach.name.lower()})")


def relink(link: int, program: int) -> None:
    """Have a link run another program from the next packet on. Raises ``ENOLINK`` if its device is gone."""
    _call(_Command.LINK_UPDATE, _link_update.pack(link, program, 0, 0), "replace an attached program")


def unlink(link: int) -> None:
    """Take a link's program off its device now, whoever holds the link."""
    _call(_Command.LINK_DETACH, _link_detach.pack(link), "detach a program")


def device_of(link: int) -> int:
    """The index of the device to which a link is attached; 0 once that is gone."""
    return int(_link_info.unpack(_information(link, _link_info.size))[3])


def pin(descriptor: int, path: Path) -> None:
    """Give a map, a program or a link a name in a bpffs, which holds it from then on."""
    name = ctypes.create_string_buffer(os.fsencode(path))
    _call(_Command.OBJ_PIN, _pin.pack(_address(name), descriptor, 0), f"make {path}")


def pinned(path: Path) -> int:
    """A descriptor of what has this name. Raises ``ENOENT``."""
    name = ctypes.create_string_buffer(os.fsencode(path))
    return _call(_Command.OBJ_GET, _pin.pack(_address(name), 0, 0), f"open {path}")


def _information(descriptor: int, size: int) -> bytes:
    answer = ctypes.create_string_buffer(_ZEROS)
    request = _info.pack(descriptor, len(_ZEROS), _address(answer))
    _call(_Command.OBJ_GET_INFO_BY_FD, request, "look at an object of bpf(2)")
    return answer.raw[:size]


def _call(command: _Command, request: bytes, doing: str) -> int:
    result = _raw(command, ctypes.create_string_buffer(request, len(request)))
    if result < 0:
        raise _refused(doing)
    return result


def _raw(command: _Command, request: ctypes.Array[ctypes.c_char]) -> int:
    number = _NUMBERS.get(platform.machine())
    if number is None:
        ctypes.set_errno(errno.ENOSYS)
        return -1
    return int(_libc.syscall(number, int(command), request, len(request)))


_PLAIN = {
    errno.EPERM: "not permitted: needs root, or CAP_BPF and CAP_NET_ADMIN",
    errno.ENOSYS: "this kernel has no bpf(2)",
}


def _refused(doing: str) -> BpfError:
    number = ctypes.get_errno()
    return BpfError(number, f"cannot {doing}: {_PLAIN.get(number) or os.strerror(number).lower()}")
