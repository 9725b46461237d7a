"""``docs/gitops.md``: every command is run, in order, between a desk and a box in a namespace of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reconciler.resources.engine import EngineClient, NoEngineError
from tests.generate import ROOT
from tests.pages import blocks, examples
from tests.patience import PATIENCE
from tests.repository import ENVIRONMENT
from tests.test_hooks import HOOKS

pytestmark = pytest.mark.root

PAGE = ROOT / "docs" / "gitops.md"
TEXT = PAGE.read_text(encoding="utf-8")
SITE = """\
version: 1
interface: eth0
local_ip: 10.214.2.100
pool_start: 10.214.2.101
pool_size: 8
users:
  theo: test
  pablo: test
  ada: test
  yunhan: test
"""


class Desk:
    """A directory in which the page's commands are typed. What they do at ``/srv`` happens beside it; ``ssh``
    and ``scp`` get no further than this machine.
    """

    def __init__(self, directory: Path) -> None:
        self.srv = directory / "srv"
        self.runtime_dir = directory / "run"
        self.directory = directory / "desk"
        self.background: list[subprocess.Popen[bytes]] = []
        self.log = directory / "log"
        tools = directory / "bin"
        for made in (self.srv, self.directory, tools):
            made.mkdir()
        scripts = {
            "ssh": 'shift\nexec sh -c "exec $*"',
            "scp": 'for last; do :; done\nexec cp update post-receive "${last#box:}"',
            "reconciler": f'exec {sys.executable} -m reconciler "$@"',
        }
        for name, text in scripts.items():
            (tools / name).write_text(f"#!/bin/sh\n{text}\n")
            (tools / name).chmod(0o755)
        (self.directory / "site.yaml").write_text(SITE)
        for text in blocks(TEXT, "sh"):
            name = re.findall(r"hooks/([\w-]+):", text)[0]
            (self.directory / name).write_text(self.here(text))
        self.environment = {
            **ENVIRONMENT,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GIT_CONFIG_SYSTEM": str(directory / "gitconfig"),
            "GIT_SSH_VARIANT": "simple",
            "RECONCILER_RUNTIME_DIR": str(self.runtime_dir),
            "RECONCILER_STATE_DIR": str(directory / "state"),
            "NO_COLOR": "1",
            "TERM": "dumb",
        }

    def here(self, text: str) -> str:
        """A text of the page with the places of this test."""
        return text.replace("/srv", str(self.srv))

    def type(self, command: str) -> str:
        """Run a command of the page; gives back what it prints, with the places of the page."""
        command = self.here(command)
        if command.endswith("&"):
            arguments = [*command.rstrip("& ").split(), "--datapath", "null"]
            with self.log.open("wb") as log:
                running = subprocess.Popen(
                    arguments, cwd=self.directory, env=self.environment, stdout=log, stderr=log
                )
            self.background.append(running)
            return ""
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
            check=False,
        )
        # Git pads what comes from the other side.
        said = "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
        return said.replace(str(self.srv), "/srv")

    def close(self) -> None:
        for running in self.background:
            running.send_signal(signal.SIGTERM)
            running.wait(PATIENCE)
        with closing(EngineClient(self.runtime_dir)) as engine, suppress(NoEngineError):
            engine.shutdown()


@pytest.fixture
def desk(neighbour: str, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def test_every_command_of_the_page_does_what_it_says(desk: Desk) -> None:
    for example in examples(PAGE):
        example.check(desk.type(example.command))


def test_what_continuous_integration_runs_is_on_the_page() -> None:
    workflow, hooks = (YAML(typ="safe", pure=True).load(text) for text in blocks(TEXT, "yaml"))
    typed = {example.command for example in examples(PAGE)}
    lines = [
        step["run"] for step in workflow["jobs"]["check"]["steps"] if "reconciler" in step.get("run", "")
    ]
    assert lines
    for line in lines:
        assert line.removesuffix(" >comment.md") in typed
    assert {hook["id"] for hook in hooks["repos"][0]["hooks"]} == HOOKS.keys()
