"""Every way in which a file is replaced must be noticed: by hint, within moments."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.observers.api import BaseObserver

from reconciler.loop.watch import Watch, waypoints


class Bell:
    """Waits for a hint; on each, does what the loop does: follows the paths anew."""

    def __init__(self, *paths: Path) -> None:
        self.paths = paths
        self.rung = threading.Event()
        self.watch = Watch(self.rung.set)
        self.watch.follow(paths)

    def expect(self, what: str) -> None:
        assert self.rung.wait(5), f"nobody noticed: {what}"
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


def test_save_in_place(home: Path, bells: list[Bell]) -> None:
    site = written(home / "site.yaml")
    bells.append(bell := Bell(site))
    written(site, "two")
    bell.expect("a save in place")


def test_save_by_rename_again_and_again(home: Path, bells: list[Bell]) -> None:
    site = written(home / "site.yaml")
    bells.append(bell := Bell(site))
    for round_ in range(3):
        written(home / ".site.yaml.swp", f"round {round_}").rename(site)
        bell.expect(f"rename number {round_}")


def test_delete_and_create(home: Path, bells: list[Bell]) -> None:
    site = written(home / "site.yaml")
    bells.append(bell := Bell(site))
    site.unlink()
    bell.expect("the deletion")
    written(site)
    bell.expect("the creation")


def test_config_map_swap(home: Path, bells: list[Bell]) -> None:
    """Kubernetes: site.yaml -> ..data/site.yaml, ..data -> ..1; an update swaps ..data by rename."""
    for version in ("..1", "..2", "..3"):
        (home / version).mkdir()
        written(home / version / "site.yaml", version)
    (home / "..data").symlink_to("..1")
    (home / "site.yaml").symlink_to("..data/site.yaml")
    bells.append(bell := Bell(home / "site.yaml"))
    for version in ("..2", "..3"):
        (home / "..data_tmp").symlink_to(version)
        (home / "..data_tmp").rename(home / "..data")
        bell.expect(f"the swap to {version}")
    written(home / "..3" / "site.yaml", "edited")
    bell.expect("an edit behind the links")


def test_swapped_link_in_the_middle_of_the_path(home: Path, bells: list[Bell]) -> None:
    """git-sync: /git/current -> a worktree; the link is swapped by rename."""
    for tree in ("a", "b"):
        (home / "trees" / tree / "sites").mkdir(parents=True)
        written(home / "trees" / tree / "sites" / "site.yaml", tree)
    (home / "current").symlink_to("trees/a")
    bells.append(bell := Bell(home / "current" / "sites" / "site.yaml"))
    (home / "next").symlink_to("trees/b")
    (home / "next").rename(home / "current")
    bell.expect("the swap")
    written(home / "trees" / "b" / "sites" / "site.yaml", "edited")
    bell.expect("an edit in the new tree")


def test_directory_removed_and_made_again(home: Path, bells: list[Bell]) -> None:
    site = written(home / "site.yaml")
    bells.append(bell := Bell(site))
    shutil.rmtree(home)
    bell.expect("the removal")
    home.mkdir()
    bell.expect("the new directory")
    written(site)
    bell.expect("the new file")


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


def test_a_password_file_elsewhere(home: Path, tmp_path: Path, bells: list[Bell]) -> None:
    secret = written(tmp_path / "secret")
    bells.append(bell := Bell(written(home / "site.yaml"), secret))
    written(secret, "two")
    bell.expect("the password file's change")


def test_neighbours_and_our_own_reading_are_no_hints(home: Path, bells: list[Bell]) -> None:
    site = written(home / "site.yaml")
    bells.append(bell := Bell(site))
    bell.settle()
    written(home / "neighbour")
    site.read_text()
    list(home.iterdir())
    assert not bell.rung.wait(0.3)


def test_watch_limits_exhausted_falls_back_to_polling(
    home: Path, monkeypatch: pytest.MonkeyPatch, bells: list[Bell]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(BaseObserver, "schedule", refuse)
    bells.append(bell := Bell(written(home / "site.yaml")))
    assert bell.watch.mode == "poll"


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
