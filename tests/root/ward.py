"""A sandbox in which the commands of a page are typed as its reader would, beside its site file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.lab.sandbox import Sandbox
from reconciler.linux import netns
from tests.generate import ROOT
from tests.pages import Example
from tests.patience import PATIENCE

HEAD = """\
version: 1
interface: eth0
ac_name: SERVER
local_ip: 10.214.2.100
pool_start: 10.214.2.101
"""
"""What a sandbox's site file begins with; what a test is about, and its users, follow."""


class Ward:
    """Commands are typed where the concentrator is, ``reconciler probe`` on the line of theo."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.instance = sandbox.instance
        self.directory = sandbox.directory

    @contextmanager
    def typed(self, command: str, *, stderr: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
        """A command that runs; it is over when the block is."""
        topology = self.sandbox.topology
        dials = command.startswith("reconciler probe")
        with netns.inside(topology.namespace("theo") if dials else topology.ac):
            process = subprocess.Popen(
                [sys.executable, "-m", *command.split()],
                cwd=self.directory,
                env={**self.instance.environment(), "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def type(self, command: str) -> str:
        """What a command prints, on both its outputs."""
        with self.typed(command, stderr=subprocess.STDOUT) as process:
            said, _ = process.communicate(timeout=2 * PATIENCE)
        return said

    def says(self, example: Example) -> None:
        """Compare what a command prints with the page."""
        example.check(self.type(example.command))

    def dial(self, line: str, user: str, password: str = "test") -> bool:
        return bool(self.sandbox.callers[line].dial(user, password)["event"] == "up")
