"""The engine's process: ``python -m reconciler.engine --runtime-dir DIR --datapath auto|tun|null``.

Prints ``ready`` on standard output once its command socket answers. SIGTERM ends every session politely, then
the process. Exit status 1, with one line on standard error, when it cannot start.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
from pathlib import Path

from reconciler.engine.access.concentrator import Concentrator
from reconciler.engine.datapath import choose
from reconciler.engine.datapath.base import PathError
from reconciler.engine.host import Host
from reconciler.engine.messages import SOCKET_NAME
from reconciler.engine.service import Service


def main() -> int:
    """Build the parts, and serve."""
    arguments = _arguments()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        datapath = choose(arguments.datapath, arguments.runtime_dir)
        datapath.prune()
        host = Host(Concentrator(os.urandom), datapath)
        service = Service(host, arguments.runtime_dir / SOCKET_NAME)
    except (PathError, OSError) as error:
        sys.stderr.write(f"engine: {error}\n")
        return 1
    _stop_on(signal.SIGTERM, host)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    host.run()
    service.close()
    return 0


def _stop_on(number: signal.Signals, host: Host) -> None:
    """Let the signal wake the loop, as any other descriptor would."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(number, lambda _number, _frame: None)
    signal.set_wakeup_fd(writing)

    def stop(_mask: int) -> None:
        os.read(reading, 64)
        host.stop()

    host.register(reading, stop)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reconciler.engine", description=__doc__)
    parser.add_argument("--runtime-dir", type=Path, required=True, help="directory of the command socket")
    parser.add_argument("--datapath", choices=("auto", "tun", "null"), default="auto")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
