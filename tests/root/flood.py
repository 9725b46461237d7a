"""``python -m tests.root.flood INTERFACE SECONDS NUMBER``: PADIs from random addresses, as fast as they will
go, for so long and until there were so many.

Prints how many were sent.
"""

from __future__ import annotations

import socket
import sys
from random import Random
from time import monotonic

from tests.root.wire import put

PADI = bytes.fromhex("8863 1109 0000 000c 0101 0000 0103 0004 00000000")
DIFFERENT = 5000


def main(interface: str, seconds: float, number: int) -> int:
    chance = Random(1)
    frames = [(b"\xff" * 6 + b"\x02" + chance.randbytes(5) + PADI).ljust(60, b"\0") for _ in range(DIFFERENT)]
    sent, end = 0, monotonic() + seconds
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind((interface, 0))
        while monotonic() < end or sent < number:
            for frame in frames:
                put(sock, frame)
            sent += len(frames)
    sys.stdout.write(f"{sent}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
