"""Frames put on an interface as fast as one core can, the same ones in turn, as a network card would: by the
kernel itself, which runs an XDP program again and again (BPF_PROG_TEST_RUN with live frames, Linux 5.18).

They come in at the other end of a veth pair as from a card's driver, in pages with room before the frame, and
cost next to nothing before that: no socket, no system calls, no copies. Neighbours: ``datapath``; ``blast``
sends by a socket. It must not know what is in a frame.
"""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from struct import Struct
from typing import Final, Self

from reconciler.engine.datapath.ebpf import elf
from reconciler.linux import bpf, interface

SOURCE: Final = Path(__file__).with_name("card.bpf.c")
HEADERS: Final = Path(elf.__file__).parent
HEAD: Final = 64
"""Octets in which frames may differ."""

_TEST_RUN, _LIVE_FRAMES = 10, 1 << 1
_SYSCALL: Final = {"x86_64": 321}.get(platform.machine(), 280)
_AT_ONCE: Final = 1 << 13
_BATCH: Final = 64  # as many as a card's driver takes in one go
_index = Struct("=I")
_state = Struct("=III")
_context = Struct("=6I")
_request = Struct("=IIIIQQIIIIQQIII4x")

_libc = ctypes.CDLL(None, use_errno=True)


class Card:
    """What is sent on an interface of the namespace in which this is made and used: frames of one length."""

    def __init__(self, device: str, frames: Sequence[bytes]) -> None:
        (length,) = {len(frame) for frame in frames}
        made = elf.read(_compiled())
        with ExitStack() as undo:
            maps = {
                name: undo.enter_context(closing(bpf.Map.create(name, shape)))
                for name, shape in made.maps.items()
            }
            for number, frame in enumerate(frames):
                maps["heads"].put(_index.pack(number), frame[:HEAD])
            state = _state.pack(interface.read(device).ifindex, len(frames), 0)
            maps["state"].put(_index.pack(0), state)
            code = made.programs["xdp"].relocated({name: held.fd for name, held in maps.items()})
            program = bpf.load(bpf.ProgramType.XDP, "card", code, made.licence)
            undo.callback(os.close, program)
            self._held = undo.pop_all()
        self._frame = ctypes.create_string_buffer(length)
        self._context = ctypes.create_string_buffer(_context.pack(0, length, 0, 0, 0, 0))
        where, context = ctypes.addressof(self._frame), ctypes.addressof(self._context)
        repeated = (_AT_ONCE, 0, _context.size, 0, context, 0)
        request = _request.pack(program, 0, length, 0, where, 0, *repeated, _LIVE_FRAMES, 0, _BATCH)
        self._request = ctypes.create_string_buffer(request, len(request))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def send(self, seconds: float) -> None:
        """Send for so long. Raises ``OSError``."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if _libc.syscall(_SYSCALL, _TEST_RUN, self._request, len(self._request)) < 0:
                number = ctypes.get_errno()
                raise OSError(number, f"cannot send frames by an XDP program: {os.strerror(number)}")


def _compiled() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        made = Path(directory, "card.bpf.o")
        headers = (f"-I{HEADERS}", f"-I/usr/include/{platform.machine()}-linux-gnu")
        flags = ("-target", "bpf", "-mcpu=v3", "-O2", "-Wall", "-Wextra", "-Werror", *headers)
        subprocess.run(["clang", *flags, "-c", str(SOURCE), "-o", str(made)], check=True)
        return made.read_bytes()
