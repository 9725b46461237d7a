"""Which commit a content is: in every kind of checkout, and only of content that was really committed."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from reconciler.loop.reading import revision as module
from reconciler.loop.reading.revision import Revision, revision
from tests.repository import commit, git


def seen(path: Path) -> Revision | None:
    """The revision of what the file now holds."""
    return revision(path, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    directory = tmp_path / "clone"
    directory.mkdir()
    git(directory, "init")
    (directory / "site.yaml").write_text("one\n")
    return directory


def test_outside_of_git_there_is_no_revision(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").touch()
    assert seen(tmp_path / "site.yaml") is None


def test_committed_edited_and_untracked_files(clone: Path) -> None:
    site = clone / "site.yaml"
    assert seen(site) is None, "nothing is committed yet"
    first = commit(clone)
    assert seen(site) == Revision(first, "main", dirty=False, author="ada")
    site.write_text("two\n")
    assert seen(site) == Revision(first, "main", dirty=True, author="ada")
    git(clone, "add", "site.yaml")
    assert seen(site) == Revision(first, "main", dirty=True, author="ada"), "staged is not committed"
    (clone / "other.yaml").touch()
    assert seen(clone / "other.yaml") == Revision(first, "main", dirty=True, author="ada")
    second = commit(clone)
    git(clone, "checkout", "--detach")
    assert seen(site) == Revision(second, None, dirty=False, author="ada")


def test_content_that_was_read_before_the_checkout_moved_is_not_of_the_new_commit(clone: Path) -> None:
    site = clone / "site.yaml"
    commit(clone)
    read = hashlib.sha256(site.read_bytes()).hexdigest()
    site.write_text("two\n")
    second = commit(clone)
    found = revision(site, read)
    assert found is not None
    assert (found.commit, found.dirty) == (second, True)


def test_a_commit_that_leaves_the_file_as_it_is(clone: Path) -> None:
    commit(clone)
    (clone / "README").write_text("about something else\n")
    second = commit(clone)
    assert seen(clone / "site.yaml") == Revision(second, "main", dirty=False, author="ada")


def test_an_ignored_file_is_not_what_the_commit_says(clone: Path) -> None:
    (clone / ".gitignore").write_text("site.yaml\n")
    commit(clone)
    found = seen(clone / "site.yaml")
    assert found is not None
    assert found.dirty


def test_line_ends_that_git_writes_otherwise_are_no_edit(clone: Path) -> None:
    (clone / ".gitattributes").write_text("*.yaml text eol=crlf\n")
    name = commit(clone)
    git(clone, "rm", "--cached", "--quiet", "-r", ".")
    git(clone, "reset", "--hard")
    assert (clone / "site.yaml").read_bytes() == b"one\r\n"
    assert seen(clone / "site.yaml") == Revision(name, "main", dirty=False, author="ada")


def test_a_worktree_of_a_bare_repository(clone: Path, tmp_path: Path) -> None:
    commit(clone)
    git(tmp_path, "clone", "--bare", str(clone), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "--detach", str(tmp_path / "box"), "main")
    (clone / "site.yaml").write_text("two\n")
    second = commit(clone)
    git(clone, "push", str(tmp_path / "bare.git"), "main")
    git(tmp_path / "box", "checkout", "--detach", "main")
    assert seen(tmp_path / "box" / "site.yaml") == Revision(second, None, dirty=False, author="ada")


def test_a_link_that_is_swapped_as_git_sync_does(clone: Path, tmp_path: Path) -> None:
    link = tmp_path / "current"
    for text in ("two\n", "three\n"):
        (clone / "site.yaml").write_text(text)
        name = commit(clone)
        tree = tmp_path / "worktrees" / name
        git(clone, "worktree", "add", "--detach", str(tree), name)
        (tmp_path / "next").symlink_to(tree)
        (tmp_path / "next").rename(link)
        assert seen(link / "site.yaml") == Revision(name, None, dirty=False, author="ada")


def test_a_link_to_the_file_is_followed(clone: Path, tmp_path: Path) -> None:
    name = commit(clone)
    (tmp_path / "site.yaml").symlink_to(clone / "site.yaml")
    assert seen(tmp_path / "site.yaml") == Revision(name, "main", dirty=False, author="ada")


def test_a_link_to_itself_is_of_no_commits_content(clone: Path) -> None:
    commit(clone)
    (clone / "site.yaml").unlink()
    (clone / "site.yaml").symlink_to("site.yaml")
    found = revision(clone / "site.yaml", None)
    assert found is not None
    assert found.dirty


def test_variables_of_the_one_who_started_the_daemon_do_not_lead_astray(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = commit(clone)
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_WORK_TREE", "/nonexistent")
    found = seen(clone / "site.yaml")
    assert found is not None
    assert found.commit == name


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_users_repository_is_not_looked_into(clone: Path) -> None:
    commit(clone)
    subprocess.run(["chown", "-R", "1234", clone], check=True)
    assert seen(clone / "site.yaml") is None, "git refuses: its configuration may run programs"


def test_git_that_hangs_or_is_missing_is_no_revision_and_asked_again(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = commit(clone)
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    with monkeypatch.context() as without:
        without.setattr(module, "_TIMEOUT", 0.1)
        without.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        assert seen(clone / "site.yaml") is None
        without.setenv("PATH", str(tmp_path / "nowhere"))
        assert seen(clone / "site.yaml") is None
    assert seen(clone / "site.yaml") == Revision(name, "main", dirty=False, author="ada")
