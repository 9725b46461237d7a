"""``reconciler completion``: the scripts, and what they are answered; by a real bash as well."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from reconciler.cli.root import COMMANDS
from tests.cli.conftest import Said

Say: TypeAlias = Callable[..., Said]

ASKING = """
PATH={bin}:$PATH
source <({python} -m reconciler completion bash)
COMP_WORDS=({words}) COMP_CWORD={at}
_reconciler_completion reconciler
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program under its name, however the tests are run."""
    file = tmp_path / "reconciler"
    file.write_text(f'#!/bin/sh\nexec {sys.executable} -m reconciler "$@"\n')
    file.chmod(0o755)
    return file


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("reconciler st", ["status"]),
        ("reconciler apply site.yaml --dr", ["--dry-run"]),
        ("reconciler user re", ["remove"]),
        ("reconciler run site.yaml --datapath e", ["ebpf"]),
    ],
)
def test_bash_completes(program: Path, words: str, found: list[str]) -> None:
    asking = ASKING.format(bin=program.parent, python=sys.executable, words=words, at=len(words.split()) - 1)
    done = subprocess.run(["bash", "-c", asking], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (found, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_and_is_answered(say: Say, program: Path, shell: str) -> None:
    script = say("completion", shell)
    assert (script.status, script.err) == (0, "")
    assert f"_RECONCILER_COMPLETE={shell}_complete" in script.out
    asked = {"COMP_WORDS": "reconciler ", "COMP_CWORD": "" if shell == "fish" else "1"}
    answered = subprocess.run(
        [program],
        env={**os.environ, **asked, "_RECONCILER_COMPLETE": f"{shell}_complete"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(COMMANDS) <= set(answered.stdout.replace(",", "\n").replace("\t", "\n").splitlines())


def test_an_unknown_shell_is_wrong_usage(say: Say) -> None:
    said = say("completion", "tcsh")
    assert said.status == 64
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in said.err
