"""Reading never blocks, tells unfinished files, and knows the commit."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from reconciler.loop import source
from reconciler.loop.source import Revision, UnreadableError, read, revision


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=directory, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_reads_text_and_its_hash(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_bytes(b"version: 1\n")
    reading = read(tmp_path / "site.yaml")
    assert reading.text == b"version: 1\n"
    assert reading.sha256 == hashlib.sha256(b"version: 1\n").hexdigest()
    assert not reading.unfinished


def test_tells_a_file_that_is_still_being_written(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    with path.open("wb") as writer:
        writer.write(b"users:\n")
        writer.flush()
        assert read(path).unfinished
        writer.write(b"  theo: test\n")
    reading = read(path)
    assert (reading.text, reading.unfinished) == (b"users:\n  theo: test\n", False)


def test_a_reader_of_the_file_does_not_make_it_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.touch()
    with path.open("rb"):
        assert not read(path).unfinished


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda _: None, "there is no such file"),
        (lambda path: path.mkdir(), "it is not a file"),
        (os.mkfifo, "it is not a file"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (lambda path: path.symlink_to("/dev/zero"), "it is not a file"),
    ],
)
def test_what_is_no_file_is_said_at_once(tmp_path: Path, make: object, why: str) -> None:
    path = tmp_path / "site.yaml"
    make(path)  # type: ignore[operator]
    with pytest.raises(UnreadableError, match=why):
        read(path)


def test_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LONGEST", 10)
    (tmp_path / "site.yaml").write_bytes(b"x" * 11)
    with pytest.raises(UnreadableError, match="larger"):
        read(tmp_path / "site.yaml")


def test_outside_of_git_there_is_no_revision(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").touch()
    assert revision(tmp_path / "site.yaml") is None


def test_revision_of_committed_edited_and_untracked_files(tmp_path: Path) -> None:
    git(tmp_path, "init")
    site = tmp_path / "site.yaml"
    site.write_text("one")
    assert revision(site) is None, "nothing is committed yet"
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert revision(site) == Revision(commit, "main", dirty=False)
    site.write_text("two")
    assert revision(site) == Revision(commit, "main", dirty=True)
    other = tmp_path / "other.yaml"
    other.touch()
    assert revision(other) == Revision(commit, "main", dirty=True)
    git(tmp_path, "checkout", "--detach", "--force")
    assert revision(site) == Revision(commit, None, dirty=False)


def test_ignored_file_is_not_what_the_commit_says(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / ".gitignore").write_text("site.yaml\n")
    (tmp_path / "site.yaml").touch()
    git(tmp_path, "add", ".gitignore")
    git(tmp_path, "commit", "-m", "one")
    found = revision(tmp_path / "site.yaml")
    assert found is not None
    assert found.dirty


def test_revision_through_a_link_is_that_of_the_real_file(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    git(tree, "init")
    (tree / "site.yaml").touch()
    git(tree, "add", ".")
    git(tree, "commit", "-m", "one")
    (tmp_path / "site.yaml").symlink_to(tree / "site.yaml")
    assert revision(tmp_path / "site.yaml") == Revision(git(tree, "rev-parse", "HEAD"), "main", dirty=False)


def test_git_that_hangs_or_is_missing_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    (tmp_path / "site.yaml").touch()
    monkeypatch.setattr(source, "_GIT_TIMEOUT", 0.1)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert revision(tmp_path / "site.yaml") is None
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert revision(tmp_path / "site.yaml") is None


def test_who_opens_the_file_for_writing_just_then_does_not_end_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("version: 1\n")
    real, fatal = fcntl.fcntl, list[int]()

    def with_a_writer(descriptor: int, command: int, argument: int = 0) -> int:
        if (command, argument) == (fcntl.F_SETLEASE, fcntl.F_UNLCK):
            with pytest.raises(BlockingIOError):
                os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        return real(descriptor, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", with_a_writer)
    before = signal.signal(signal.SIGIO, lambda number, _frame: fatal.append(number))
    try:
        assert read(path).text == b"version: 1\n"
    finally:
        signal.signal(signal.SIGIO, before)
    assert fatal == [], "SIGIO would have ended it"
