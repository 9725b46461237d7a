"""The sandbox: the wiring, a reconciler in the concentrator's namespace, and subscribers who can dial.

Puts the parts together and takes them apart again, whatever happens in between. What is played in it is
another's business.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.lab.caller import Caller
from reconciler.lab.instance import Instance
from reconciler.lab.topology import AC_MAC, Topology
from reconciler.linux import netns


class Sandbox:
    """For the time of a ``with`` block. ``text`` is the first site.yaml; ``lines`` name the subscribers'
    lines.
    """

    def __init__(
        self,
        text: str,
        lines: tuple[str, ...],
        datapath: str = "auto",
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.topology = Topology(lines)
        self.callers: dict[str, Caller] = {}
        self.directory = Path()
        self._text = text
        self._datapath = datapath
        self._tell = tell
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            self.directory = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-lab-")))
            undo.enter_context(self.topology)
            for name in self.topology.subscribers:
                caller = self.callers[name] = Caller(name, self.topology.namespace(name))
                undo.callback(caller.close)
            self.instance = Instance(self.directory, self.topology.ac, self._datapath)
            self.instance.save(self._text)
            undo.callback(self.instance.stop)
            self.instance.start()
            self._undo = undo
            self._trace()
            # Last in, first out: subscribers hang up while there is somebody to say goodbye to.
            undo.callback(self._hang_up)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def _trace(self) -> None:
        names = [f"{AC_MAC}=AC"] + [f"{self.topology.mac(name)}={name}" for name in self.callers]
        argv = [sys.executable, "-m", "reconciler.probe.trace", "eth0", *names]
        with netns.inside(self.topology.ac):
            process = subprocess.Popen(
                argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
            )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stderr.readline()  # it says when it listens
        lines = process.stdout

        def relay() -> None:
            for line in lines:
                self._tell(line.rstrip())

        reader = threading.Thread(target=relay, daemon=True)
        reader.start()
        self._undo.callback(_end, process, reader)

    def _hang_up(self) -> None:
        for caller in self.callers.values():
            caller.close()


def _end(process: subprocess.Popen[str], reader: threading.Thread) -> None:
    process.terminate()
    reader.join()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
