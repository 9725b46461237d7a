"""What a service manager is told, and what it keeps for the next process: before a manager of our own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.linux.manager import FIRST_KEPT, Manager
from tests.patience import PATIENCE


class Desk:
    """The manager's end: what it was sent."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind(address)

    def read(self) -> tuple[str, list[int]]:
        data, descriptors, _, _ = socket.recv_fds(self.socket, 4096, 4)
        return data.decode(), descriptors


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(str(tmp_path / "notify"))
    yield made
    made.socket.close()


@pytest.fixture
def environ(tmp_path: Path, desk: Desk) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(tmp_path / "notify")}


def test_it_is_told_what_it_should_know(desk: Desk, environ: dict[str, str]) -> None:
    Manager(environ).say("READY=1", "STATUS=serving eth0")
    assert desk.read() == ("READY=1\nSTATUS=serving eth0", [])


def test_children_do_not_take_it_for_theirs(environ: dict[str, str]) -> None:
    environ |= {"WATCHDOG_USEC": "1000000", "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0", "HOME": "/"}
    Manager(environ)
    assert environ == {"HOME": "/"}


@pytest.mark.parametrize(
    ("variables", "watched"),
    [
        ({}, False),
        ({"WATCHDOG_USEC": "0"}, False),
        ({"WATCHDOG_USEC": "5000000"}, True),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": str(os.getpid())}, True),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"}, False),
    ],
)
def test_it_hears_of_our_being_alive_if_it_asked_us(
    desk: Desk, environ: dict[str, str], variables: dict[str, str], watched: bool
) -> None:
    manager = Manager(environ | variables)
    manager.alive()
    manager.say("READY=1")
    assert desk.read()[0] == ("WATCHDOG=1" if watched else "READY=1")


def test_an_address_may_be_abstract() -> None:
    name = f"reconciler-test-{os.getpid()}"
    desk = Desk("\0" + name)
    Manager({"NOTIFY_SOCKET": "@" + name}).say("READY=1")
    assert desk.read()[0] == "READY=1"
    desk.socket.close()


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nonexistent/notify"}])
def test_without_a_manager_nothing_happens(environ: dict[str, str]) -> None:
    manager = Manager(environ)
    manager.say("READY=1")
    manager.alive()
    manager.keep("eth0.padi", 0)
    assert manager.take("eth0.padi") is None


def test_it_keeps_a_descriptor_under_a_name_until_told_to_forget_it(
    desk: Desk, environ: dict[str, str], tmp_path: Path
) -> None:
    manager = Manager(environ)
    with (tmp_path / "kept").open("w") as file:
        manager.keep("eth0.padi", file.fileno())
    text, (descriptor,) = desk.read()
    assert text == "FDSTORE=1\nFDNAME=eth0.padi"
    os.write(descriptor, b"still open")
    os.close(descriptor)
    assert (tmp_path / "kept").read_text() == "still open"
    manager.forget("eth0.padi")
    assert desk.read() == ("FDSTOREREMOVE=1\nFDNAME=eth0.padi", [])


_HEIR = f"""\
import os
from reconciler.linux.manager import Manager
os.environ["LISTEN_PID"] = str(os.getpid())
manager = Manager(os.environ)
taken = manager.take("one")
os.write(taken, b"mine")
assert not os.get_inheritable(taken)
assert manager.take("one") is None
manager.forget_untaken()
try:
    os.fstat({FIRST_KEPT + 1})
except OSError:
    os.write(taken, b", and nobody's is closed")
"""


def test_the_next_process_takes_what_is_its_own_and_the_rest_is_closed(
    desk: Desk, environ: dict[str, str], tmp_path: Path
) -> None:
    with (tmp_path / "one").open("w") as one, (tmp_path / "two").open("w") as two:
        moved = [os.dup2(one.fileno(), 200), os.dup2(two.fileno(), 201)]

        def hand_over() -> None:
            for number, descriptor in enumerate(moved):
                os.dup2(descriptor, FIRST_KEPT + number)

        subprocess.run(
            [sys.executable, "-c", _HEIR],
            check=True,
            env=os.environ | environ | {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "one:two"},
            close_fds=False,
            preexec_fn=hand_over,
        )
        for descriptor in moved:
            os.close(descriptor)
    assert (tmp_path / "one").read_text() == "mine, and nobody's is closed"
    assert desk.read()[0] == "FDSTOREREMOVE=1\nFDNAME=two"
