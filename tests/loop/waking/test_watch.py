"""What is watched, and what is no hint. That every writer is noticed is shown by ``test_writers``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.loop.waking.watch import Watch, waypoints
from tests.patience import PATIENCE


class Bell:
    """Waits for a hint; on each, does what the loop does: follows the paths anew."""

    def __init__(self, *paths: Path) -> None:
        self.paths = paths
        self.rung = threading.Event()
        self.watch = Watch(self.rung.set)
        self.watch.follow(paths)

    def expect(self, what: str) -> None:
        assert self.rung.wait(PATIENCE), f"nobody noticed: {what}"
        self.settle()

    def settle(self) -> None:
        """Follow anew until no hint comes with it."""
        while self.rung.wait(0.1):
            self.rung.clear()
            self.watch.follow(self.paths)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    directory = tmp_path / "etc"
    directory.mkdir()
    return directory


@pytest.fixture
def bells() -> Iterator[list[Bell]]:
    made: list[Bell] = []
    yield made
    for bell in made:
        bell.watch.close()


def written(path: Path, text: str = "one") -> Path:
    path.write_text(text)
    return path


def test_directories_missing_at_the_start(tmp_path: Path, bells: list[Bell]) -> None:
    site = tmp_path / "not" / "yet" / "site.yaml"
    bells.append(bell := Bell(site))
    (tmp_path / "not").mkdir()
    bell.watch.follow(bell.paths)
    (tmp_path / "not" / "yet").mkdir()
    bell.expect("the directory")
    written(site)
    bell.expect("the file")


def test_change_of_permissions(home: Path, bells: list[Bell]) -> None:
    site = written(home / "site.yaml")
    bells.append(bell := Bell(site))
    site.chmod(0o600)
    bell.expect("chmod")


def test_neighbours_and_our_own_reading_are_no_hints(home: Path, bells: list[Bell]) -> None:
    site = written(home / "site.yaml")
    bells.append(bell := Bell(site))
    bell.settle()
    written(home / "neighbour")
    site.read_text()
    list(home.iterdir())
    assert not bell.rung.wait(0.3)


def test_polling_on_request() -> None:
    watch = Watch(lambda: None, poll=True)
    watch.follow([Path("/etc/hostname")])
    assert watch.mode == "poll"
    watch.close()


def test_loop_of_links_ends(home: Path) -> None:
    (home / "a").symlink_to("b")
    (home / "b").symlink_to("a")
    assert {home / "a", home / "b"} <= set(waypoints(home / "a"))


def test_links_with_dots_and_absolute_targets(home: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    written(tmp_path / "real" / "site.yaml")
    (home / "up").symlink_to("../real")
    (home / "site.yaml").symlink_to(tmp_path / "etc" / "up" / "site.yaml")
    assert set(waypoints(home / "site.yaml")) == {
        home / "site.yaml",
        home / "up",
        tmp_path / "real",
        tmp_path / "real" / "site.yaml",
    }
