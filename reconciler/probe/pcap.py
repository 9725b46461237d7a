"""Frames into a file that tcpdump and Wireshark open: the classic pcap format, with microseconds.

It must not know what the frames mean.
"""

from __future__ import annotations

from struct import Struct
from typing import BinaryIO

_MAGIC, _VERSION, _LONGEST, _ETHERNET = 0xA1B2C3D4, (2, 4), 262144, 1
_header = Struct("=IHHiIII")
_record = Struct("=IIII")


class Pcap:
    """Writes to ``file``, each frame at once. Raises ``OSError`` where the file does."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.written = 0
        """Frames so far."""
        self._put(_header.pack(_MAGIC, *_VERSION, 0, 0, _LONGEST, _ETHERNET))

    def write(self, at: int, frame: bytes) -> None:
        """Add a frame that was seen at Unix time ``at``, in nanoseconds."""
        seconds, rest = divmod(at, 1_000_000_000)
        self._put(_record.pack(seconds, rest // 1000, len(frame), len(frame)) + frame)
        self.written += 1

    def _put(self, octets: bytes) -> None:
        self._file.write(octets)
        self._file.flush()
