"""The Debian package and its units, under a real systemd: what an administrator does, in this order."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.root.machine.conftest import ENGINE, RECONCILER, ROOT, USERS, Box

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

SITE = (ROOT / "examples/site.yaml").read_text().replace("enx3c18a002b9be", "eth0")
EXPOSED_AT_MOST = 3.0
"""systemd's own judgement of a unit: from 0, a box without a door, to 10. It says OK up to 5."""


def test_the_units_are_right_and_confined(box: Box) -> None:
    units = [f"/lib/systemd/system/{unit}" for unit in (ENGINE, RECONCILER)]
    assert box.machine.run("systemd-analyze", "verify", *units) == ""
    for unit in (ENGINE, RECONCILER):
        threshold = f"--threshold={EXPOSED_AT_MOST * 10:.0f}"
        judged = box.machine.run("systemd-analyze", "security", "--no-pager", threshold, unit)
        exposure = re.search(r"Overall exposure level for .*: ([0-9.]+)", judged)
        assert exposure is not None, judged
        assert float(exposure[1]) <= EXPOSED_AT_MOST, judged


def test_each_shell_finds_its_completion(package: Path) -> None:
    listed = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    for path in (
        "bash-completion/completions/reconciler",
        "zsh/vendor-completions/_reconciler",
        "fish/vendor_completions.d/reconciler.fish",
    ):
        assert f"./usr/share/{path}\n" in listed


def test_nothing_starts_before_there_is_a_site(box: Box) -> None:
    box.machine.run("systemctl", "start", RECONCILER)
    assert box.machine.property(RECONCILER, "ActiveState") == "inactive"
    assert box.machine.property(RECONCILER, "ConditionResult") == "no"
    box.machine.run("systemctl", "stop", ENGINE)


def test_started_it_serves_and_is_confined(box: Box) -> None:
    box.save(SITE)
    box.machine.run("systemctl", "enable", "--now", RECONCILER)
    box.wait_for(box.settled, "readiness")
    assert box.machine.property(ENGINE, "ActiveState") == "active"
    box.dial()
    assert box.lost() == dict.fromkeys(USERS, 0)
    assert box.ask("status")["datapath"] == box.datapath
    expected = {"ebpf": 2, "tun": 3}[box.datapath]
    box.wait_for(lambda: len(processes(box)) == expected, f"{expected} processes")
    for process in processes(box):
        limits = box.machine.run("cat", f"/proc/{process}/status")
        assert re.search(r"^NoNewPrivs:\s1$", limits, re.MULTILINE)
        assert re.search(r"^Seccomp:\s2$", limits, re.MULTILINE)
    mapped = box.machine.run("cat", f"/proc/{box.pid(ENGINE)}/maps")
    assert "/reconciler__mypyc." in mapped, "the engine's core runs as Python"


def processes(box: Box) -> list[str]:
    """Those that stay, and for a moment those that ask the kernel for them."""
    return box.machine.run("pgrep", "-f", "reconciler").split()


@pytest.mark.parametrize("unit", [ENGINE, RECONCILER])
def test_a_restart_of_either_unit_is_not_noticed(box: Box, unit: str) -> None:
    before, other = box.sessions(), {ENGINE: RECONCILER, RECONCILER: ENGINE}[unit]
    restarted, untouched = box.pid(unit), box.pid(other)
    box.machine.run("systemctl", "restart", unit)
    box.wait_for_sessions(before)
    assert box.pid(unit) != restarted
    assert box.pid(other) == untouched
    assert box.lost() == dict.fromkeys(USERS, 0)


GATE = "/run/gate"


@contextlib.contextmanager
def gate(box: Box) -> Iterator[Callable[[], None]]:
    """The next engine starts once the gate is opened, by calling what is given."""

    def opened() -> None:
        box.machine.run("touch", GATE)

    waits = f"ExecStartPre=/bin/sh -c 'until test -e {GATE}; do sleep 0.1; done'"
    with box.override(waits, "TimeoutStartSec=infinity"):
        try:
            yield opened
        finally:
            opened()
            box.wait_for(lambda: box.machine.property(ENGINE, "ActiveState") == "active", "engine")
            box.machine.run("rm", GATE)


def test_what_arrives_while_there_is_no_engine_is_answered_by_the_next(box: Box) -> None:
    assert box.machine.property(ENGINE, "NFileDescriptorStore") == "3"
    before, theo = box.pid(ENGINE), box.callers["theo"]
    others = [one for one in box.sessions() if one["user"] != "theo"]
    theo.order("ping_stop")
    with gate(box) as opened:
        box.machine.run("kill", "-KILL", str(before))
        box.wait_for(lambda: box.machine.property(ENGINE, "SubState") == "start-pre", "end of the engine")
        theo.order("hangup")
        assert box.pid(ENGINE) == 0
        opened()
        box.wait_for_sessions(others)
    box.dial_as("theo")
    assert box.lost() == dict.fromkeys(USERS, 0)


def test_an_engine_that_hangs_is_replaced_and_nobody_notices(box: Box) -> None:
    before = box.sessions()
    with box.override("WatchdogSec=3s"):
        box.machine.run("systemctl", "restart", ENGINE)
        box.wait_for_sessions(before)
        hanging = box.pid(ENGINE)
        box.machine.run("kill", "-STOP", str(hanging))
        box.wait_for(lambda: box.pid(ENGINE) not in (0, hanging), "another engine")
        box.wait_for_sessions(before)
    assert box.machine.property(ENGINE, "NRestarts") != "0"
    assert box.lost() == dict.fromkeys(USERS, 0)


def newer(package: Path, made: Path) -> Path:
    """The same package as its next version, of which the engine says so too."""
    subprocess.run(["dpkg-deb", "-R", package, made / "root"], check=True)
    control = made / "root/DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", "Version: 99.0", control.read_text(), flags=re.MULTILINE))
    (init,) = made.glob("root/usr/lib/reconciler/lib/python3*/site-packages/reconciler/__init__.py")
    init.write_text(re.sub(r'__version__ = ".*"', '__version__ = "99.0"', init.read_text()))
    mode = ("--invalidation-mode", "unchecked-hash")
    subprocess.run(["python3", "-m", "compileall", "-qf", *mode, init], check=True)
    newer = made / "newer.deb"
    subprocess.run(["dpkg-deb", "-Znone", "-b", made / "root", newer], check=True, capture_output=True)
    return newer


def test_an_upgrade_is_not_noticed(box: Box, package: Path, tmp_path: Path) -> None:
    before, pids = box.sessions(), (box.pid(ENGINE), box.pid(RECONCILER))
    box.machine.copy(newer(package, tmp_path), "/root/newer.deb")
    box.machine.run("dpkg", "--install", "/root/newer.deb")
    box.wait_for_sessions(before)
    assert "99.0" in box.machine.run("reconciler", "--version")
    assert not {box.pid(ENGINE), box.pid(RECONCILER)} & set(pids), "both run the new code"
    assert box.lost() == dict.fromkeys(USERS, 0)


def test_nothing_is_left_when_it_is_removed(box: Box) -> None:
    since = {user: len(caller.events) for user, caller in box.callers.items()}
    box.machine.run("dpkg", "--purge", "reconciler")
    for user, caller in box.callers.items():
        assert caller.wait_event("down", since=since[user], wait=PATIENCE), f"{user} was not told"
    assert "reconciler" not in box.machine.run("ps", "ax", "-o", "args")
    assert "pppoe" not in box.machine.run("ip", "link")
    for path in ("/usr/lib/reconciler", "/var/lib/reconciler", "/run/reconciler"):
        box.machine.run("test", "-e", path, expect=1)
    assert box.machine.run("cat", "/etc/reconciler/site.yaml") == SITE, "that one is the operator's"
