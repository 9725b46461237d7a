"""The engine's process: ``python -m reconciler.engine --runtime-dir DIR [--datapath NAME]``.

Prints ``ready`` on standard output once its command socket answers, and tells the service manager. SIGTERM
ends the process alone: the sessions go on, and the next engine of this directory takes them over. Exit status
1, with one line on standard error, when it cannot start.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import blame
from reconciler.engine import commands, farewell, restore, views
from reconciler.engine.chronicle import Chronicle
from reconciler.engine.datapath import NAMES, choose, remove
from reconciler.engine.datapath.base import PathError
from reconciler.engine.host import Host
from reconciler.engine.journal import NAME as JOURNAL
from reconciler.engine.journal import Journal, JournalVersionError
from reconciler.engine.journal import check as check_journal
from reconciler.engine.messages import SOCKET_NAME
from reconciler.engine.service import Service
from reconciler.engine.vault import Vault
from reconciler.linux.manager import Manager

if TYPE_CHECKING:
    from reconciler.engine.datapath.base import DataPath

log = logging.getLogger("reconciler.engine")

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def main() -> int:
    """Build the parts, and serve."""
    arguments = _arguments()
    if arguments.shutdown:
        return _shut_down(arguments.runtime_dir)
    if arguments.check:
        return _check(arguments.runtime_dir)
    gc.disable()  # what is read back holds no garbage, and subscribers wait; later the loop sees to it
    blame.instead_of_tracebacks()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    manager = Manager(os.environ)
    try:
        # A newer journal is refused before anything is taken over.
        journal = _journal(arguments.runtime_dir)
        datapath, choice = choose(arguments.datapath, arguments.runtime_dir)
        log.info("data path %s: %s", datapath.name, choice)
        host = _host(journal, datapath, manager)
        host.datapath_choice = choice
        service = Service(host, arguments.runtime_dir / SOCKET_NAME)
    except (PathError, JournalVersionError, OSError) as error:
        sys.stderr.write(f"engine: {error}\n")
        return 1
    _leave_on(signal.SIGTERM, host)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    manager.say("READY=1")
    host.run()
    service.close()
    return 0


def _shut_down(runtime_dir: Path) -> int:
    try:
        farewell.end(runtime_dir / SOCKET_NAME)
    except OSError as error:
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):  # it died, and left its data path
            remove(runtime_dir)
        sys.stderr.write(f"engine: there is none to shut down in {runtime_dir}: {error.strerror or error}\n")
        return 1
    return 0


def _check(runtime_dir: Path) -> int:
    try:
        check_journal(runtime_dir / JOURNAL)
    except JournalVersionError as error:
        sys.stderr.write(f"engine: {error}\n")
        return 1
    return 0


def _journal(directory: Path) -> Journal:
    return Journal(directory / JOURNAL, BOOT_ID.read_text().strip(), Vault(directory, os.urandom))


def _host(journal: Journal, datapath: DataPath, manager: Manager) -> Host:
    """A host that goes on where the engine before it left off."""
    legacy = restore.read(journal)
    journal.put("facts", "epoch", views.agree(legacy.contents["facts"].get("epoch")))
    concentrator = restore.concentrator(legacy, journal, os.urandom)
    host = Host(concentrator, datapath, Chronicle(journal, legacy.terms), manager)
    restore.restore(host, legacy, commands.user)
    datapath.prune()
    host.shaper.prune()
    manager.forget_untaken()
    host.chronicle.commit()
    return host


def _leave_on(number: signal.Signals, host: Host) -> None:
    """Let the signal wake the loop, as any other descriptor would."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(number, lambda _number, _frame: None)
    signal.set_wakeup_fd(writing)

    def leave(_mask: int) -> None:
        os.read(reading, 64)
        host.leave()

    host.register(reading, leave)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reconciler.engine", description=__doc__)
    parser.add_argument("--runtime-dir", type=Path, required=True, help="directory of the command socket")
    parser.add_argument("--datapath", choices=NAMES, default="auto")
    parser.add_argument("--shutdown", action="store_true", help="end the engine that runs, and its sessions")
    parser.add_argument(
        "--check", action="store_true", help="say whether this version could go on; touch nothing"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
