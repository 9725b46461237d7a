"""The sandbox end to end: the story goes as it should, answers need proxy ARP, and nothing is left behind."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.lab import edits
from reconciler.lab.caller import Caller
from reconciler.lab.sandbox import Sandbox
from reconciler.lab.stage import Stage
from reconciler.lab.story import SPARE, Pace, Story
from reconciler.lab.topology import FAR_ADDRESS
from reconciler.linux import netns
from tests.patience import PATIENCE

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

EXAMPLE = (Path(__file__).parents[2] / "examples" / "site.yaml").read_text()
USERS = ("theo", "pablo", "yunhan")


@pytest.mark.parametrize("datapath", ["tun", "ebpf"])
def test_the_story_goes_as_it_should(datapath: str) -> None:
    wire: list[str] = []
    told: list[str] = []
    pace = Pace(within=PATIENCE, interval=0.1)  # one second is for a machine that does nothing else
    with Sandbox(EXAMPLE, (*USERS, SPARE), datapath, tell=wire.append) as sandbox:
        right = Story(sandbox, Stage(sandbox, wire, told.append), EXAMPLE, USERS, pace).play()
    assert right, "".join(told)


def pings(caller: Caller) -> tuple[int, int]:
    """Ping the far end some ten times: how many were sent, and how many answered."""
    caller.order("ping", target=FAR_ADDRESS, interval=0.05)
    while caller.order("report")["sent"] < 10:
        time.sleep(0.05)
    report = caller.order("ping_stop")
    return report["sent"], report["received"]


def test_answers_come_back_by_proxy_arp_or_not_at_all() -> None:
    without = edits.set_value(EXAMPLE, "forwarding.proxy_arp", "false")
    with Sandbox(without, ("theo",)) as sandbox:
        theo = sandbox.callers["theo"]
        assert theo.dial("theo", "test")["event"] == "up"
        sent, received = pings(theo)
        assert (sent >= 10, received) == (True, 0), "without proxy ARP no answer can find its way"

        sandbox.instance.save(EXAMPLE)
        sandbox.instance.wait_for(
            lambda status: status["generation"]["applied"] == 2, "proxy ARP being on", PATIENCE
        )
        # The router goes on believing for a second or two that nobody has the address.
        while pings(theo)[1] == 0:
            assert sandbox.instance.sessions()[0]["state"] == "opened"
        sent, received = pings(theo)
        assert received == sent, "with proxy ARP every answer finds its way"


def ours(process: int) -> list[str]:
    return [name for name in netns.names() if name.startswith(f"rc-{process}-")]


def ended(processes: list[int]) -> bool:
    """Have they all ended, or do they soon?"""
    return all(select.select([process], [], [], PATIENCE)[0] for process in processes)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "reconciler.lab", "--demo"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    lab = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment)
    assert lab.stdout is not None
    with lab.stdout:
        for line in lab.stdout:
            if "dial in over one switch" in line:
                break
        namespaces = ours(lab.pid)
        inhabitants = [os.pidfd_open(process) for name in namespaces for process in netns.processes(name)]
        assert len(namespaces) == 4 + len(USERS) + 1
        lab.send_signal(number)
        lab.stdout.read()
    assert lab.wait(PATIENCE) == 130
    assert ours(lab.pid) == []
    assert list(tmp_path.iterdir()) == []
    assert ended(inhabitants)
    for descriptor in inhabitants:
        os.close(descriptor)


def test_on_a_terminal_it_shows_what_an_edit_does_and_stays_until_interrupted() -> None:
    screen, terminal = os.openpty()
    lab = subprocess.Popen([sys.executable, "-m", "reconciler.lab"], stdin=terminal, stdout=terminal)
    os.close(terminal)
    shown = ""

    def read_until(*parts: str) -> None:
        nonlocal shown
        while not all(part in shown for part in parts):
            assert select.select([screen], [], [], PATIENCE)[0], f"waited in vain for {parts} after:\n{shown}"
            shown += os.read(screen, 65536).decode()

    try:
        read_until("theo is up", "pablo is up", "yunhan is up", "PADI", "IPCP Configure-Ack")
        found = re.search(r"edit\s+(\S+)", shown)
        assert found
        site = Path(found[1])
        site.write_text(edits.remove_user(site.read_text(), "pablo"))
        read_until("pablo is down: Terminate-Request", "closed: user_removed")
        lab.send_signal(signal.SIGINT)
        assert lab.wait(PATIENCE) == 0
    finally:
        lab.kill()
        lab.wait()
        os.close(screen)
    assert ours(lab.pid) == []
    assert not site.exists()
