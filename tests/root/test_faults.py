"""What the machine does to us: a device that goes, a name that changes, a disk that is full, a process that
stands still; and what sessions and packets come to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.linux import links, netns
from tests.root.box import Box, condition
from tests.root.crowd import Crowd
from tests.root.test_engine_restart import lcp_echo
from tests.root.wire import Cable

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

NAMES = ("u0", "u1", "u2")
STANDSTILL = float(os.environ.get("RECONCILER_STANDSTILL", "3"))
"""Seconds that the reconciler stands still: several echoes long."""

SITE = """\
version: 1
interface: eth0
local_ip: 10.214.2.100
pool_start: 10.214.2.104
pool_size: 16
auth: [pap]
users:
""" + "".join(f"  {name}: test\n" for name in NAMES)


@pytest.fixture
def crowd(box: Box, cable: Cable) -> Iterator[Crowd]:
    """Three subscribers, online and pinging."""
    box.start("--datapath", "tun")
    box.ready()
    with Crowd(cable, NAMES) as made:
        made.until_up()
        yield made


def ids(box: Box) -> list[int]:
    return sorted(one["id"] for one in box.client.get("/v1/sessions"))


def test_a_device_that_is_removed_by_hand_is_made_again_and_costs_no_session(box: Box, crowd: Crowd) -> None:
    before, device = ids(box), str(box.client.get("/v1/status")["device"])
    links.delete(device)
    crowd.until_answered()
    assert (crowd.up, ids(box)) == (len(NAMES), before)
    assert box.client.get("/v1/status")["device"] == device


def test_an_interface_that_is_renamed_is_lost_under_that_name_and_served_again_under_it(
    box: Box, crowd: Crowd
) -> None:
    rename("eth0", "lan0")
    box.until(lambda status: condition(status, "Ready")[1] == "InterfaceMissing", "the missing interface")
    crowd.until_down()
    assert ids(box) == []
    rename("lan0", "eth0")
    box.ready()
    crowd.dial_again()
    crowd.until_answered()


def rename(old: str, new: str) -> None:
    links.bring(old, up=False)
    subprocess.run(["ip", "link", "set", old, "name", new, "up"], check=True)


@pytest.fixture
def small_disk(box: Box) -> Iterator[Path]:
    """The runtime directory on a disk of its own, of half a megabyte."""
    run = box.directory / "run"
    run.mkdir(0o750)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(run)], check=True)
    yield run
    box.close()
    subprocess.run(["umount", "-l", str(run)], check=True)


def test_a_full_disk_is_said_and_costs_nobody_and_is_made_up_for(
    box: Box, small_disk: Path, cable: Cable
) -> None:
    box.start("--datapath", "tun")
    box.ready()
    fill(small_disk / "ballast")
    with Crowd(cable, NAMES) as crowd:
        crowd.until_up()
        status = box.until(lambda status: condition(status, "JournalFailed")[0], "the condition")
        assert condition(status, "Ready")[0]
        assert "disk is full" in condition(status, "JournalFailed")[2]
        (small_disk / "ballast").unlink()
        box.until(lambda status: recovered(box, status), "the end of the condition")
        before = ids(box)
        kill_engine(box)
        assert ids(box) == before, "those who came while the disk was full go on too"
        assert (crowd.up, crowd.lost()) == (len(NAMES), {})


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as ballast:
        for size in (4096, 512):
            try:
                while ballast.write(bytes(size)):
                    pass
            except OSError:
                continue


def recovered(box: Box, status: dict[str, object]) -> bool:
    box.client.post("/v1/apply")
    return not condition(status, "JournalFailed")[0]


def kill_engine(box: Box) -> None:
    pid = int(box.client.get("/v1/status")["engine"]["pid"])
    os.kill(pid, signal.SIGKILL)
    box.until(lambda status: (status["engine"] or {}).get("pid") not in (None, pid), "another engine")
    box.ready()


def test_a_journal_that_became_read_only_is_read_all_the_same(box: Box, crowd: Crowd) -> None:
    journal, before = str(box.directory / "run" / "journal.sqlite"), ids(box)
    subprocess.run(["mount", "--bind", journal, journal], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", journal], check=True)
        kill_engine(box)
        assert ids(box) == before
        status = box.until(lambda status: condition(status, "JournalFailed")[0], "the condition")
        assert "readonly" in condition(status, "JournalFailed")[2]
        assert (crowd.up, crowd.lost()) == (len(NAMES), {})
    finally:
        subprocess.run(["umount", "-l", journal], check=True)


def test_a_reconciler_that_stands_still_is_not_missed(box: Box, crowd: Crowd, cable: Cable) -> None:
    before = ids(box)
    os.kill(box.processes[-1].pid, signal.SIGSTOP)
    try:
        box.edit(SITE + "  u3: test\n")
        time.sleep(STANDSTILL)
        assert box.engine.observe()["draining"] is None
    finally:
        os.kill(box.processes[-1].pid, signal.SIGCONT)
    box.until(lambda status: status["generation"]["applied"] == 2, "the edit")
    assert (ids(box), crowd.up, crowd.lost()) == (before, len(NAMES), {})


def test_an_engine_that_stands_still_for_less_than_its_echoes_costs_nobody(box: Box, crowd: Crowd) -> None:
    box.edit(SITE + "lcp_echo: {interval: 1, failures: 10}\n")
    box.until(lambda status: status["generation"]["applied"] == 2, "quick echoes")
    before, pid = ids(box), int(box.client.get("/v1/status")["engine"]["pid"])
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(2)
    finally:
        os.kill(pid, signal.SIGCONT)
    status = box.ready()
    assert (status["engine"]["pid"], ids(box)) == (pid, before), "it was waited for, not replaced"
    assert (crowd.up, crowd.lost()) == (len(NAMES), {})


def test_after_a_boot_of_the_machine_everything_begins_anew(box: Box, cable: Cable) -> None:
    first = box.start("--datapath", "tun")
    box.ready()
    with Crowd(cable, NAMES) as crowd:
        crowd.until_up()
        assert box.finish(first) == 0
        for pid in netns.processes(netns_of_us()):
            if b"reconciler.engine" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        boot = box.directory / "boot_id"
        boot.write_text("00000000-0000-4000-8000-000000000000\n")
        bind = f'mount --bind {boot} /proc/sys/kernel/random/boot_id && exec "$@"'
        box.start("--datapath", "tun", prefix=("unshare", "-m", "sh", "-c", bind, "sh"))
        box.ready()
        assert ids(box) == []
        for member in crowd.members.values():
            cable.say([lcp_echo(member)])  # whoever says something is told to dial again
        crowd.until_down()
        assert "another boot" in (box.directory / "run" / "engine.log").read_text()
        crowd.dial_again()
        crowd.until_answered()


def netns_of_us() -> str:
    done = subprocess.run(["ip", "netns", "identify"], capture_output=True, text=True, check=True)
    return done.stdout.strip()
