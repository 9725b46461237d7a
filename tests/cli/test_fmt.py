"""``reconciler fmt``: in place, as a check, as a difference, and between an editor's two pipes."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.cli.conftest import Said
from tests.loop.world import SITE

Say: TypeAlias = Callable[..., Said]
CROOKED = SITE.replace("theo: one", "theo:   one   # mine")
STRAIGHT = SITE.replace("theo: one", "theo: one   # mine")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text(CROOKED)
    path.chmod(0o640)
    return path


def test_files_are_changed_in_place_and_named(say: Say, site: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.yaml"
    good.write_text(SITE)
    said = say("fmt", site, good)
    assert (said.status, said.out) == (0, "")
    assert said.err == f"laid out anew: {site}\n"
    assert site.read_text() == STRAIGHT
    assert stat.S_IMODE(site.stat().st_mode) == 0o640
    assert say("fmt", "--check", site, good) == Said(0, "", "")


def test_check_changes_nothing_and_exits_1(say: Say, site: Path) -> None:
    said = say("fmt", "--check", site)
    assert said.status == 1
    assert f"would be laid out anew: {site}" in said.err
    assert site.read_text() == CROOKED


def test_diff_shows_the_lines_without_secrets(say: Say, site: Path) -> None:
    said = say("fmt", "--diff", site)
    assert said.status == 1
    assert "-  theo:   ********" in said.out
    assert "+  theo: ********" in said.out
    assert "one" not in said.out + said.err
    assert site.read_text() == CROOKED


def test_what_is_no_yaml_stays_as_it_is(say: Say, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("users:\n  theo: 'hunter2\n")
    said = say("fmt", broken)
    assert said.status == 1
    assert "E101" in said.err
    assert "hunter2" not in said.err
    assert broken.read_text() == "users:\n  theo: 'hunter2\n"
    assert say("fmt", tmp_path / "none").status == 1


def test_between_two_pipes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reconciler", "fmt", "-"]
    done = subprocess.run(command, input=CROOKED.encode(), capture_output=True, check=True)
    assert done.stdout == STRAIGHT.encode()
    check = subprocess.run([*command, "--check"], input=CROOKED.encode(), capture_output=True, check=False)
    assert (check.returncode, check.stdout) == (1, b"")
