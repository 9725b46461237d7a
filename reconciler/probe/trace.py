"""Listens on an interface and prints the PPPoE exchange, a line a frame: ``python -m
reconciler.probe.trace eth0``.

Sees both directions in the network namespace it is started in. Data packets are counted and not shown. It
only listens; ``decode`` gives the words. ``MAC=NAME`` arguments name the stations.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping

from reconciler.linux.packet import EVERY_ETHERTYPE, PPPOE_BOTH_WAYS, open_packet_socket
from reconciler.linux.process import die_with_parent
from reconciler.probe.decode import decode, is_data


def trace(port: str, names: Mapping[str, str], write: Callable[[str], object]) -> int:
    """Write a line for each frame until interrupted. Returns how many data packets went by."""
    data = 0
    with open_packet_socket(port, EVERY_ETHERTYPE, PPPOE_BOTH_WAYS) as wire:
        wire.setblocking(True)
        sys.stderr.write(f"listening on {port}\n")
        try:
            while True:
                frame = wire.recv(65535)
                if is_data(frame):
                    data += 1
                else:
                    write(f"{_clock()}  {decode(frame, names)}\n")
        except KeyboardInterrupt:
            return data


def _clock() -> str:
    now = time.time()
    return f"{time.strftime('%H:%M:%S', time.localtime(now))}.{int(now * 1000) % 1000:03}"


def main(arguments: list[str]) -> int:
    """Exit status 0 when stopped by a signal, 1 when the interface cannot be listened on, 64 for wrong
    usage.
    """
    if not arguments or any("=" not in name for name in arguments[1:]):
        sys.stderr.write("usage: python -m reconciler.probe.trace INTERFACE [MAC=NAME]...\n")
        return 64
    die_with_parent()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    names = dict(argument.split("=", 1) for argument in arguments[1:])
    try:
        data = trace(arguments[0], names, lambda line: print(line, end="", flush=True))  # noqa: T201
    except OSError as error:
        sys.stderr.write(f"trace of {arguments[0]}: {error.strerror}\n")
        return 1
    sys.stderr.write(f"{data} data packets went by\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
