"""``.pre-commit-hooks.yaml``, run by pre-commit itself on staged files, out of a repository that has it.

The program is the one that is tested here: pre-commit's own way, an environment with the package in it, would
be made from the network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.generate import ROOT
from tests.loop.world import SITE
from tests.patience import PATIENCE
from tests.repository import ENVIRONMENT, commit, git

MANIFEST = ".pre-commit-hooks.yaml"
HOOKS: dict[str, Any] = {hook["id"]: hook for hook in YAML(typ="safe", pure=True).load(ROOT / MANIFEST)}
CROOKED = SITE.replace("theo: one", "theo:   one")
INVALID = SITE.replace("pool_size: 8", "pool_size: many")


class Desk:
    """A repository with site files, and others beside them, whose commits the hooks look at."""

    def __init__(self, directory: Path) -> None:
        self.site = directory / "sites"
        self._cache = directory / "cache"
        hooks = directory / "hooks"
        for repository in (hooks, self.site):
            repository.mkdir()
            git(repository, "init")
        shutil.copy(ROOT / MANIFEST, hooks)
        revision = commit(hooks)
        chosen = "".join(f"  - {{id: {hook}, language: system}}\n" for hook in HOOKS)
        config = f"repos:\n- repo: file://{hooks}\n  rev: {revision}\n  hooks:\n{chosen}"
        (self.site / ".pre-commit-config.yaml").write_text(config)
        (self.site / "boxes" / "east").mkdir(parents=True)
        for name in ("site.yaml", "boxes/east/site.yml"):
            (self.site / name).write_text(SITE)
        for name in ("compose.yaml", "mysite.yaml", "site.yaml.bak"):
            (self.site / name).write_text("services:   {}\n")

    def lets_pass(self, hook: str) -> bool:
        """Whether the commit of everything would go on."""
        git(self.site, "add", "--all")
        programs = Path(sys.executable).parent
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", hook],
            cwd=self.site,
            env={
                **ENVIRONMENT,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "PRE_COMMIT_HOME": str(self._cache),
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert f"{HOOKS[hook]['name']}." in done.stdout, done.stdout + done.stderr
        return done.returncode == 0


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("hook", HOOKS)
def test_good_files_pass_and_others_are_not_looked_at(hook: str, desk: Desk) -> None:
    assert HOOKS[hook]["language"] == "python"
    assert desk.lets_pass(hook)


@pytest.mark.parametrize("name", ["site.yaml", "boxes/east/site.yml"])
def test_an_invalid_file_does_not(desk: Desk, name: str) -> None:
    (desk.site / name).write_text(INVALID)
    assert not desk.lets_pass("reconciler-validate")


def test_a_crooked_file_is_laid_out_and_has_to_be_staged_again(desk: Desk) -> None:
    (desk.site / "site.yaml").write_text(CROOKED)
    assert not desk.lets_pass("reconciler-fmt")
    assert (desk.site / "site.yaml").read_text() == SITE
    assert desk.lets_pass("reconciler-fmt")
