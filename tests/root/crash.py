"""Ends a process of ours by SIGKILL at a chosen moment: copied as ``sitecustomize.py`` to where Python looks.

The moments are those before and after each act by which a process changes something outside of itself. They
are counted from when a file ``crash`` beside this one appears, with the process (``engine``, ``reconciler``)
and the number of the moment in it. Each that is passed is a line in ``moments``. The file ``crash`` goes when
it is carried out, so that whoever comes next lives; whoever takes it away first decides: what is withdrawn is
not carried out any more.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def plan(directory: Path, role: str, number: int) -> None:
    """Have the process of this role die at that moment. All at once: half a plan would be none."""
    (directory / "moments").write_text("")
    (directory / "new").write_text(f"{role} {number}")
    (directory / "new").rename(directory / "crash")


def withdraw(directory: Path) -> bool:
    """Take the plan back. False: there is none, since somebody is carrying it out."""
    try:
        (directory / "crash").unlink()
    except FileNotFoundError:
        return False
    return True


class Moments:
    """Counts them for this process, which is ``role``."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._plan = 0
        self._passed = 0
        self._turn = threading.Lock()

    def pass_by(self, what: str) -> None:
        with self._turn:
            self._pass_by(what)

    def _pass_by(self, what: str) -> None:
        try:
            plan = (HERE / "crash").stat().st_mtime_ns
            role, number = (HERE / "crash").read_text().split()
        except (FileNotFoundError, ValueError):
            return
        if role != self._role:
            return
        self._passed = 1 if plan != self._plan else self._passed + 1
        self._plan = plan
        with (HERE / "moments").open("a") as told:
            told.write(f"{what}\n")
        if self._passed == int(number) and withdraw(HERE):
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, *names: str) -> None:
        """Before and after each call of these."""
        for name in names:
            setattr(owner, name, self._around(getattr(owner, name), f"{owner.__name__}.{name}"))

    def _around(self, act: Callable[..., Any], what: str) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            self.pass_by(f"before {what}")
            done = act(*given, **named)
            self.pass_by(f"after {what}")
            return done

        return run


def in_the_engine(moments: Moments) -> None:
    from reconciler.engine.datapath.tun import TunDataPath
    from reconciler.engine.journal import Journal
    from reconciler.engine.ports import Port
    from reconciler.engine.service import Service

    moments.around(Journal, "load", "commit")
    moments.around(TunDataPath, "attach", "open", "close", "flush", "prune")
    moments.around(Port, "__init__", "send")
    moments.around(Service, "__init__")


def in_the_reconciler(moments: Moments) -> None:
    from reconciler.loop.keeping.store import Store
    from reconciler.resources.engine import EngineClient
    from reconciler.resources.kernel import LinuxKernel

    moments.around(EngineClient, "configure", "users", "listen", "unlisten", "terminate")
    moments.around(LinuxKernel, "add_address", "remove_address", "add_route", "remove_route", "write")
    original = Store.transaction

    @contextmanager
    def transaction(store: Store, **how: Any) -> Iterator[Any]:
        with original(store, **how) as database:
            yield database
            moments.pass_by("before a commit")
        moments.pass_by("after a commit")

    setattr(Store, "transaction", transaction)  # noqa: B010 - a method is not to be assigned to


if "reconciler.engine" in sys.orig_argv:
    in_the_engine(Moments("engine"))
elif "run" in sys.orig_argv and "reconciler" in sys.orig_argv:
    in_the_reconciler(Moments("reconciler"))
