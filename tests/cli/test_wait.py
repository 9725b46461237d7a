"""``reconciler status --wait``, mostly with ``--commit``: what a deploy waits for, and how it comes out."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.cli.conftest import Daemon, Said
from tests.loop.world import SITE
from tests.repository import commit, git

Say: TypeAlias = Callable[..., Said]
MARIA = SITE + "  maria: three\n"


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon whose site.yaml is in git."""
    (tmp_path / "box").mkdir()
    running = Daemon(tmp_path / "box")
    git(running.directory, "init")
    (running.directory / ".gitignore").write_text("*\n!site.yaml\n!README\n")
    yield running
    running.close()


@pytest.fixture
def wait(deployed: Daemon, say: Say) -> Callable[..., Said]:
    def run(*arguments: str) -> Said:
        return say("--runtime-dir", deployed.directory, "status", "--wait", *arguments)

    return run


def test_the_commit_is_in_force_when_its_very_content_is(deployed: Daemon, wait: Callable[..., Said]) -> None:
    first = commit(deployed.directory)
    said = wait("--commit", first, "-o", "json")
    assert said.status == 0
    source = said.json["source"]
    assert (source["commit"], source["branch"], source["dirty"]) == (first, "main", False)
    assert said.json["awaited"] == {"outcome": "met", "message": ""}
    deployed.edit(MARIA)
    second = commit(deployed.directory)
    assert wait("--commit", second[:8].upper()).status == 0
    assert "maria" in deployed.engine.users


def test_a_commit_that_leaves_the_file_as_it_is_is_in_force(
    deployed: Daemon, wait: Callable[..., Said]
) -> None:
    commit(deployed.directory)
    (deployed.directory / "README").write_text("about something else\n")
    assert wait("--commit", commit(deployed.directory)).status == 0


def test_what_was_edited_and_not_committed_is_not_the_commit(
    deployed: Daemon, wait: Callable[..., Said], say: Say
) -> None:
    first = commit(deployed.directory)
    deployed.edit(MARIA)
    assert say("--runtime-dir", deployed.directory, "apply", deployed.path).status == 0
    said = wait("--commit", first, "--timeout", "0.2")
    assert said.status == 6
    assert f"is of commit {first[:7]} and modified" in said.err


def test_a_commit_that_never_comes(deployed: Daemon, wait: Callable[..., Said]) -> None:
    commit(deployed.directory)
    said = wait("--commit", "0123abcd", "--timeout", "0.2s")
    assert said.status == 6
    assert "error: commit 0123abcd is not in force: the file is of commit" in said.err
    assert "generation" in said.out, "what there is instead is shown"


def test_a_commit_whose_file_is_invalid(deployed: Daemon, wait: Callable[..., Said]) -> None:
    deployed.edit(SITE.replace("pool_size: 8", "pool_size: many"))
    said = wait("--commit", commit(deployed.directory), "--timeout", "20s")
    assert said.status == 1
    assert "site.yaml:5:12" in said.err


def test_a_commit_that_the_guard_holds(deployed: Daemon, wait: Callable[..., Said]) -> None:
    deployed.edit(SITE + "".join(f"  u{number}: x\n" for number in range(10)))
    assert wait("--commit", commit(deployed.directory)).status == 0
    deployed.edit(SITE)
    said = wait("--commit", commit(deployed.directory), "--timeout", "20s")
    assert said.status == 4
    assert "is not in force: the guard holds it: plan " in said.err


def test_without_a_commit_a_change_that_the_guard_holds_is_an_end_of_waiting_too(
    daemon: Daemon, say: Say
) -> None:
    daemon.edit(SITE + "".join(f"  u{number}: x\n" for number in range(10)))
    assert say("status", "--wait").status == 0
    daemon.edit(SITE)
    said = say("status", "--wait", "--timeout", "1d", "-o", "json")
    assert said.status == 4
    assert said.json["awaited"]["outcome"] == "held"
    assert "not everything is as the file says: the guard holds it: " in said.err
    (name,) = re.findall(r"--allow-guard (\w+)", said.err)
    assert say("apply", daemon.path, "--allow-guard", name).status == 0
    assert say("status", "--wait").status == 0


def test_without_a_commit_an_invalid_file_is_an_end_of_waiting_too(daemon: Daemon, say: Say) -> None:
    daemon.edit(SITE.replace("pool_size: 8", "pool_size: many"))
    said = say("status", "--wait", "--timeout", "1d")
    assert said.status == 1
    assert "error: not everything is as the file says: site.yaml:5:12" in said.err


def test_who_waits_is_told_when_it_comes(deployed: Daemon, wait: Callable[..., Said]) -> None:
    first = commit(deployed.directory)
    git(deployed.directory, "checkout", "--detach")
    deployed.edit(MARIA)
    second = commit(deployed.directory)
    git(deployed.directory, "checkout", "--detach", first)
    assert wait("--commit", first).status == 0
    deploy = threading.Timer(0.3, git, (deployed.directory, "checkout", "--detach", second))
    deploy.start()
    said = wait("--commit", second, "--timeout", "30")
    deploy.join()
    assert said.status == 0
    assert "maria" in deployed.engine.users


def test_outside_of_git_it_says_where_to_look(daemon: Daemon, say: Say) -> None:
    said = say("status", "--wait", "--commit", "0123abcd", "--timeout", "0.2")
    assert said.status == 6
    assert f"`git -C {daemon.directory} log`" in said.err


def test_without_a_daemon_it_waits_for_one_and_then_exits_7(say: Say) -> None:
    assert say("status", "--wait", "--timeout", "0.2").status == 7


@pytest.mark.parametrize(
    ("arguments", "status", "hint"),
    [
        (("--commit", "0123abcd"), 64, "--wait"),
        (("--wait", "--timeout", "soon"), 64, "90s, 2m or 1h"),
        (("--wait", "--timeout", "48h"), 64, "longer than a day"),
        (("--wait", "--commit", "HEAD"), 1, "hexadecimal"),
    ],
)
def test_wrong_usage(daemon: Daemon, say: Say, arguments: tuple[str, ...], status: int, hint: str) -> None:
    said = say("status", *arguments)
    assert said.status == status
    assert hint in said.err


def test_the_generation_is_described_once_what_was_edited_in_place_is_committed(
    deployed: Daemon, wait: Callable[..., Said], say: Say
) -> None:
    first = commit(deployed.directory)
    assert wait("--commit", first).status == 0
    deployed.edit(MARIA)
    applied = say("--runtime-dir", deployed.directory, "apply", deployed.path, "-o", "json").json
    second = commit(deployed.directory)
    assert wait("--commit", second).status == 0
    deployed.rest()
    deployed.step()
    assert deployed.reconciler.history.commit(applied["generation"]) == second
