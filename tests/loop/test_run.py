"""The loop itself: it looks when hinted, survives its own bugs, and says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.loop.report import Report
from tests.fakes.engine import password
from tests.loop.running import Running
from tests.loop.world import SITE, World
from tests.patience import PATIENCE


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(World(tmp_path).edit())
    yield made
    made.close()


def test_saved_edit_is_applied_without_waiting_for_the_interval(running: Running) -> None:
    running.until_generation(1)
    running.world.edit(SITE.replace("one", "three"))
    running.until_generation(2)
    assert running.world.engine.users["theo"]["secret"] == password("three")


def test_edit_by_rename_and_of_a_password_file_too(running: Running) -> None:
    running.until_generation(1)
    secret = running.world.directory / "theo.secret"
    secret.write_text("first")
    beside = running.world.directory / "new.yaml"
    beside.write_text(SITE.replace("theo: one", "theo: {password_file: theo.secret}"))
    beside.rename(running.world.path)
    running.until_generation(2)
    secret.write_text("second")
    running.until_generation(3)
    assert running.world.engine.users["theo"]["secret"] == password("second")


def test_bug_in_a_pass_is_confessed_and_survived(
    running: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.until_generation(1)
    run = running.world.reconciler.run
    broken = threading.Event()

    def buggy() -> Report:
        monkeypatch.setattr(running.world.reconciler, "run", run)
        broken.set()
        raise KeyError("open-sesame")

    monkeypatch.setattr("reconciler.loop.run.AFTER_A_BUG", 0.05)
    monkeypatch.setattr(running.world.reconciler, "run", buggy)
    running.world.edit(SITE.replace("one", "three"))
    assert broken.wait(PATIENCE)
    running.until_generation(2)
    assert running.loop.bugs == 1
    assert "a pass failed by a bug: KeyError" in caplog.text
    assert "open-sesame" not in caplog.text


def test_converge_from_another_thread_takes_turns_with_the_loop(running: Running) -> None:
    running.until_generation(1)
    running.world.edit(SITE.replace("one", "three"))
    done = running.loop.converge(PATIENCE)
    assert done.settled
    assert running.world.engine.users["theo"]["secret"] == password("three")
