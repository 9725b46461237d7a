"""``.pre-commit-hooks.yaml``: each hook is run as pre-commit runs it, on the staged files that its pattern
fits; a failure is what exits otherwise than with 0, or changes a file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.generate import ROOT
from tests.loop.world import SITE
from tests.repository import git

HOOKS: dict[str, Any] = {
    hook["id"]: hook for hook in YAML(typ="safe", pure=True).load(ROOT / ".pre-commit-hooks.yaml")
}
CROOKED = SITE.replace("theo: one", "theo:   one")
INVALID = SITE.replace("pool_size: 8", "pool_size: many")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    (tmp_path / "boxes" / "east").mkdir(parents=True)
    for name in ("site.yaml", "boxes/east/site.yml"):
        (tmp_path / name).write_text(SITE)
    for name in ("compose.yaml", "mysite.yaml", "site.yaml.bak"):
        (tmp_path / name).write_text("services: {}\n")
    return tmp_path


def passes(hook: str, repository: Path) -> bool:
    """Whether pre-commit would let the commit go on."""
    git(repository, "add", "--all")
    staged = git(repository, "diff", "--cached", "--name-only").splitlines()
    files = [name for name in staged if re.search(HOOKS[hook]["files"], name)]
    assert sorted(files) == ["boxes/east/site.yml", "site.yaml"]
    bin_directory = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_directory}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    command = [*HOOKS[hook]["entry"].split(), *HOOKS[hook].get("args", ()), *files]
    done = subprocess.run(
        command, cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    changed = git(repository, "diff", "--name-only")
    return done.returncode == 0 and not changed


def test_the_manifest_has_what_pre_commit_asks_for() -> None:
    for hook in HOOKS.values():
        assert hook.keys() >= {"id", "name", "entry", "language"}
        assert hook["language"] == "python"
        assert re.search(hook["files"], "boxes/east/site.yaml")


@pytest.mark.parametrize("hook", HOOKS)
def test_good_files_pass(hook: str, repository: Path) -> None:
    assert passes(hook, repository)


def test_an_invalid_file_does_not(repository: Path) -> None:
    (repository / "site.yaml").write_text(INVALID)
    assert not passes("reconciler-validate", repository)


def test_a_crooked_file_is_laid_out_and_has_to_be_staged_again(repository: Path) -> None:
    (repository / "site.yaml").write_text(CROOKED)
    assert not passes("reconciler-fmt", repository)
    assert (repository / "site.yaml").read_text() == SITE
    assert passes("reconciler-fmt", repository)
