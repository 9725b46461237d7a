"""``python -m tests.soak [SECONDS] [--subscribers N] [--seed N]``: a soak, its table, and a status that says
whether anything was wrong.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.soak.soak import Findings, Soak
from tests.soak.watch import DESCRIPTORS, MEMORY_FLOOR, MEMORY_SHARE


def main() -> int:
    arguments = _arguments()
    if os.geteuid() != 0:
        sys.exit("a soak needs root: it makes network namespaces")
    # What is set up is taken down, however this ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    logging.disable(logging.WARNING)
    number = arguments.subscribers
    sys.stdout.write(f"{number} subscribers for {arguments.seconds:g} s, seed {arguments.seed}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="reconciler-soak-") as directory:
        soak = Soak(Path(directory), number, arguments.seed, arguments.interval)
        try:
            found = soak.run(arguments.seconds)
        except AssertionError as error:
            sys.stdout.write(f"WRONG: {error}\nrepeat it with --seed {arguments.seed}\n")
            return 1
    sys.stdout.writelines(f"{line}\n" for line in table(found))
    return 1 if found.wrong else 0


def table(found: Findings) -> Iterator[str]:
    """The findings, a line each."""
    for what, count in found.done.items():
        yield f"{what:<44}{count:>10}"
    yield f"{'pings answered':<44}{found.answered:>10}"
    for why, count in sorted(found.lost.items()):
        yield f"{'pings lost' + (f' with {why}' if why else ''):<44}{count:>10}"
    yield f"{'sessions ended without cause':<44}{len(found.unannounced):>10}"
    yield f"{'drops that no plan had named':<44}{found.unpredicted:>10}"
    yield f"{'sessions left behind':<44}{found.sessions_left:>10}"
    yield f"{'addresses lost':<44}{found.leases_lost:>10}"
    for kind, grown in found.growth.items():
        (before, after), (small, large) = grown.descriptors, grown.memory
        yield f"{f'{kind}, {grown.seconds} s: descriptors':<44}{f'{before} -> {after}':>20}"
        yield f"{f'{kind}: memory, KiB':<44}{f'{small} -> {large}':>20}"
    yield f"(may grow: descriptors by {DESCRIPTORS}, memory by {MEMORY_SHARE:.0%} and {MEMORY_FLOOR} KiB)"
    yield from (f"WRONG: {line}" for line in found.wrong)
    yield "wrong" if found.wrong else "nothing lost, nothing left, nothing grown"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=600.0)
    parser.add_argument("--subscribers", type=int, default=2000)
    parser.add_argument("--interval", type=float, default=2.0, help="seconds between two pings of one")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
