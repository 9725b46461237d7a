"""Listens on interfaces and shows the PPPoE exchange, a frame at a time; by itself: ``python -m
reconciler.probe.trace eth0``.

Sees both directions in the network namespace it is started in. Data packets are counted and not shown. It
only listens; ``selection`` says which frames are wanted, ``decode`` gives the words. As a program it takes
``MAC=NAME`` arguments that name the stations.
"""

from __future__ import annotations

import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

from reconciler.linux.capture import Capture, Captured
from reconciler.linux.process import die_with_parent
from reconciler.probe.decode import decode, is_data
from reconciler.probe.pcap import Pcap
from reconciler.probe.selection import Selection


@dataclass(slots=True)
class Tally:
    """What went by, so far."""

    shown: int = 0
    data: int = 0


class Trace:
    """Reads ``captures`` until stopped, or until ``count`` frames were shown.

    ``show`` gets each wanted frame that is not data, ``pcap`` every wanted frame, as it was.
    """

    def __init__(
        self,
        captures: Iterable[Capture],
        selection: Selection,
        show: Callable[[Captured], object],
        pcap: Pcap | None = None,
        count: int | None = None,
    ) -> None:
        self.tally = Tally()
        self._selection = selection
        self._show = show
        self._pcap = pcap
        self._count = count
        self._selector = selectors.DefaultSelector()
        for capture in captures:
            self._selector.register(capture, selectors.EVENT_READ, capture)

    def run(self) -> None:
        """Ends by KeyboardInterrupt, or with the last frame."""
        with closing(self._selector):
            for seen in self._seen():
                for wanted in self._selection.take(seen):
                    self._take(wanted)
                    if self.tally.shown == self._count:
                        return

    def _seen(self) -> Iterator[Captured]:
        while True:
            for key, _ in self._selector.select():
                yield from key.data.frames()

    def _take(self, seen: Captured) -> None:
        if self._pcap is not None:
            self._pcap.write(seen.at, seen.whole)
        if is_data(seen.frame):
            self.tally.data += 1
        else:
            self.tally.shown += 1
            self._show(seen)


def clock(at: int) -> str:
    """Unix time in nanoseconds as local time of day: ``12:00:00.123``."""
    seconds, rest = divmod(at, 1_000_000_000)
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{rest // 1_000_000:03}"


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

    def show(seen: Captured) -> None:
        sys.stdout.write(f"{clock(seen.at)}  {decode(seen.frame, names)}\n")
        sys.stdout.flush()

    try:
        capture = Capture(arguments[0])
    except OSError as error:
        sys.stderr.write(f"trace of {arguments[0]}: {error.strerror}\n")
        return 1
    trace = Trace([capture], Selection(), show)
    with closing(capture), suppress(KeyboardInterrupt):
        sys.stderr.write(f"listening on {arguments[0]}\n")
        trace.run()
    sys.stderr.write(f"{trace.tally.data} data packets went by\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
