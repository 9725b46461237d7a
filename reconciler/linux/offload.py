"""What a device does to packets on the kernel's behalf: its features, by the ethtool ioctl.

Standard library alone: the engine imports this. It must not know why somebody wants them off.
"""

from __future__ import annotations

import ctypes
import errno
import socket
from fcntl import ioctl
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple, Self

from reconciler.linux.errors import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

_SIOCETHTOOL = 0x8946
_GSTRINGS, _GSSET_INFO, _GFEATURES, _SFEATURES = 0x1B, 0x37, 0x3A, 0x3B
_FEATURES = 4  # ETH_SS_FEATURES
_STRING = 32

_ifreq = Struct("16sP16x")
_set_info = Struct("=IIQI")
_strings = Struct("=III")
_blocks = Struct("=II")
_feature = Struct("=IIII")
_wish = Struct("=II")


def active(device: str) -> set[str]:
    """The names of the features that are on. Raises ``KernelError``."""
    with _Device(device) as asked:
        return {name for name, state in asked.features() if state.active}


def switch(device: str, wanted: Callable[[str], bool | None]) -> None:
    """Turn features on and off: ``wanted`` says of each one by its name (``tx-checksum-ip-generic``) whether
    it should be, None if it does not matter. One that the device cannot change stays. Raises ``KernelError``.
    """
    valid = on = 0
    with _Device(device) as asked:
        features = asked.features()
        for bit, (name, state) in enumerate(features):
            wish = wanted(name) if state.changeable else None
            valid |= (wish is not None) << bit
            on |= bool(wish) << bit
        asked.set_features(len(features), valid, on)


class _State(NamedTuple):
    active: bool
    changeable: bool


class _Device:
    """A device that is asked by ioctl, for the time of a ``with`` block."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()

    def features(self) -> list[tuple[str, _State]]:
        count = _set_info.unpack(self._ask(_set_info.pack(_GSSET_INFO, 0, 1 << _FEATURES, 0)))[3]
        text = self._ask(_strings.pack(_GSTRINGS, _FEATURES, count) + bytes(count * _STRING))[_strings.size :]
        blocks = (count + 31) // 32
        answer = self._ask(_blocks.pack(_GFEATURES, blocks) + bytes(blocks * _feature.size))[_blocks.size :]
        states = [
            _State(bool(active >> bit & 1), bool((available & ~never) >> bit & 1))
            for available, _, active, never in _feature.iter_unpack(answer)
            for bit in range(32)
        ]
        names = [text[at : at + _STRING].rstrip(b"\0").decode() for at in range(0, len(text), _STRING)]
        return list(zip(names, states, strict=False))

    def set_features(self, count: int, valid: int, on: int) -> None:
        blocks = (count + 31) // 32
        wishes = [_wish.pack(valid >> 32 * n & 0xFFFFFFFF, on >> 32 * n & 0xFFFFFFFF) for n in range(blocks)]
        self._ask(_blocks.pack(_SFEATURES, blocks) + b"".join(wishes))

    def _ask(self, request: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(request, len(request))
        try:
            ioctl(self._control, _SIOCETHTOOL, _ifreq.pack(self._name.encode(), ctypes.addressof(buffer)))
        except OSError as error:
            raise refusal(f"read or set the features of {self._name}", error.errno or errno.EIO) from error
        return buffer.raw
