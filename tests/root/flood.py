"""``python -m tests.root.flood INTERFACE SECONDS``: PADIs from random addresses, as fast as they will go.

Prints how many were sent.
"""

from __future__ import annotations

import socket
import sys
from random import Random
from time import monotonic

PADI = bytes.fromhex("8863 1109 0000 000c 0101 0000 0103 0004 00000000")
DIFFERENT = 5000


def main(interface: str, seconds: float) -> int:
    chance = Random(1)
    frames = [(b"\xff" * 6 + b"\x02" + chance.randbytes(5) + PADI).ljust(60, b"\0") for _ in range(DIFFERENT)]
    sent, end = 0, monotonic() + seconds
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind((interface, 0))
        while monotonic() < end:
            for frame in frames:
                sock.send(frame)
            sent += len(frames)
    sys.stdout.write(f"{sent}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
