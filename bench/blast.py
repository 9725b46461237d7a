"""Frames put on an interface as fast as one core can: sendmmsg(2) by ctypes, the same ones in turn."""

from __future__ import annotations

import ctypes
import socket
import time
from collections.abc import Sequence
from typing import Final, Self

_AT_ONCE: Final = 512
_SOL_PACKET, _PACKET_QDISC_BYPASS = 263, 20

_libc = ctypes.CDLL(None, use_errno=True)


class _Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("parts", ctypes.POINTER(_Part)),
        ("parts_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("sent", ctypes.c_uint),
    ]


class Blast:
    """A socket on an interface and what it sends, in turn."""

    def __init__(self, interface: str, frames: Sequence[bytes]) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.bind((interface, 0))
        self._socket.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
        self._kept: list[object] = []
        self._batches = [
            self._batch(frames[start : start + _AT_ONCE]) for start in range(0, len(frames), _AT_ONCE)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, seconds: float) -> int:
        """Send for so long; how many frames the kernel took."""
        sent, end, descriptor = 0, time.monotonic() + seconds, self._socket.fileno()
        while time.monotonic() < end:
            for messages, count in self._batches:
                done = _libc.sendmmsg(descriptor, messages, count, 0)
                sent += max(done, 0)
        return sent

    def _batch(self, frames: Sequence[bytes]) -> tuple[object, int]:
        repeated = list(frames) * max(1, _AT_ONCE // len(frames))
        messages = (_Message * len(repeated))()
        for message, frame in zip(messages, repeated, strict=True):
            octets = ctypes.create_string_buffer(frame, len(frame))
            part = _Part(ctypes.addressof(octets), len(frame))
            message.parts, message.parts_count = ctypes.pointer(part), 1
            self._kept += [octets, part]
        return messages, len(repeated)
