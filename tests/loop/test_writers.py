"""Every writer of a site file is noticed and obeyed, twice and after an error; every way for the file to be
no file is told, and costs nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.linux.sysctl import IP_FORWARD
from tests.fakes.engine import password
from tests.loop.running import Running
from tests.loop.world import SITE, World
from tests.loop.writers import WRITERS, Writer

GOOD = ("edit-1", "edit-2", "edit-3")
"""As many characters each: some writers keep the size."""


def text(theo: str) -> str:
    return f"{SITE.replace('theo: one', f'theo: {theo}')}forwarding: {{ip_forward: true}}\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


Start = Callable[[Path, bool], Running]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr("reconciler.loop.run.POLLING", 0.02)
    started: list[Running] = []

    def begin(path: Path, poll: bool) -> Running:
        started.append(Running(World(tmp_path, path=path), poll=poll))
        return started[-1]

    yield begin
    for one in started:
        one.close()


def obeyed(running: Running, theo: str) -> None:
    world = running.world

    def in_force() -> bool:
        users = world.engine.users
        return world.board.ready and users["theo"]["secret"] == password(theo) and "pablo" in users

    running.until(in_force, f"the password {theo}")
    assert not world.conditions()["SourceInvalid"][0]


def invalid(running: Running, reason: str) -> str:
    """Wait until the file is said to be invalid; the message."""
    world = running.world
    running.until(lambda: world.conditions()["SourceInvalid"] == (True, reason), f"SourceInvalid, {reason}")
    assert world.conditions()["Ready"] == (False, "SourceInvalid")
    return next(one.message for one in world.board.conditions if one.type == "SourceInvalid")


@pytest.mark.parametrize("poll", [False, True], ids=["hinted", "polled"])
@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.name)
def test_a_writer_is_obeyed_twice_and_after_an_error(
    writer: Writer, poll: bool, home: Path, start: Start
) -> None:
    if not writer.hinted and not poll:
        return  # what the kernel is silent about is noticed by looking alone
    running = start(writer.begin(home, text("edit-0")), poll)
    obeyed(running, "edit-0")
    assert running.world.board.watching == ("poll" if poll else "inotify")
    for theo in GOOD[:2]:
        writer.write(home, text(theo), running.until_looked)
        obeyed(running, theo)
    writer.write(home, text("[").ljust(len(text(GOOD[0])), "\n"), running.until_looked)
    invalid(running, "Findings")
    assert running.world.engine.users["theo"]["secret"] == password(GOOD[1])
    writer.write(home, text(GOOD[2]), running.until_looked)
    obeyed(running, GOOD[2])
    assert running.world.board.unpredicted_drops == 0


def _remove(path: Path) -> None:
    path.unlink()


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _loop_of_links(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("elsewhere")


def _file_for_its_directory(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.touch()


NO_FILE = (
    (_remove, "NotFound", "there is no such file"),
    (_broken_link, "NotFound", "there is no such file"),
    (_file_for_its_directory, "NotFound", "there is no such file"),
    (_directory, "NotAFile", "it is a directory"),
    (_fifo, "NotAFile", "it is not a file"),
    (_loop_of_links, "Unreadable", "Too many levels of symbolic links"),
)


@pytest.mark.parametrize(
    ("spoil", "reason", "why"), NO_FILE, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_source_that_is_no_file_is_said_and_the_last_good_one_is_kept(
    spoil: Callable[[Path], None], reason: str, why: str, home: Path, start: Start
) -> None:
    path = home / "site.yaml"
    path.write_text(text("edit-0"))
    running = start(path, False)
    obeyed(running, "edit-0")
    world = running.world
    session = world.engine.dial("theo")
    spoil(path)
    assert invalid(running, reason).startswith(f"cannot read {path}: {why}")
    assert world.engine.live() == [session]
    world.kernel.values[IP_FORWARD] = 0
    world.wake.hint()
    running.until(lambda: world.kernel.values[IP_FORWARD] == 1, "the healing of the last good generation")
    if path.parent.is_file():
        path.parent.unlink()
        path.parent.mkdir()
    elif path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    path.write_text(text("edit-0"))
    obeyed(running, "edit-0")
    assert world.board.report is not None
    assert world.board.report.applied == 1, "the same wish is the same generation"


LIMITED = """
import logging, sys
from pathlib import Path
from reconciler.loop.waking import watch

logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
limit, home = Path("/proc/sys/user", sys.argv[1]), Path(sys.argv[2])
before = limit.read_text()
limit.write_text(sys.argv[3])
now = 0.0
watching = watch.Watch(lambda: None, clock=lambda: now)
for now in (0.0, 1.0, watch.RETRY + 2):
    watching.follow([home / f"{number}" / "site.yaml" for number in range(9)])
    print(watching.mode)
limit.write_text(before)
now = 3 * watch.RETRY
watching.follow([home / "1" / "site.yaml"])
print(watching.mode)
watching.close()
"""


@pytest.mark.parametrize(
    ("limit", "most"), [("max_inotify_instances", 0), ("max_inotify_watches", 0), ("max_inotify_watches", 2)]
)
def test_real_limits_of_inotify_lead_to_polling_and_are_said_once(
    limit: str, most: int, tmp_path: Path
) -> None:
    for number in range(9):
        (tmp_path / f"{number}").mkdir()
    apart = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespace here (in a chroot there is none): the limits would be everybody's")
    command = [*apart, sys.executable, "-c", LIMITED]
    done = subprocess.run(
        [*command, limit, str(tmp_path), str(most)], capture_output=True, text=True, check=True
    )
    refused, *polled, again, inotify = done.stdout.splitlines()
    assert refused.startswith("the kernel does not tell of changed files (the limit fs.inotify.max_user_")
    assert polled == ["poll"] * 3, done.stderr
    assert (again, inotify) == ("the kernel tells of changed files again", "inotify")
