"""Going back, with the real engine, the real kernel and subscribers who ping: a rollback brings a user back
and touches nobody else, a change that nobody confirmed is undone though the daemon was killed, and a broken
file does not keep the next daemon from healing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.lab.instance import condition
from reconciler.lab.sandbox import Sandbox
from reconciler.linux import netns, sysctl
from reconciler.linux.sysctl import IP_FORWARD
from tests.patience import PATIENCE
from tests.root import pinging
from tests.root.test_deaths import identities, process
from tests.root.test_lab_story import EXAMPLE, USERS

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

WITHOUT_PABLO = EXAMPLE.replace("  pablo:\n    password: test\n", "")
OTHERS = [user for user in USERS if user != "pablo"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The example's subscribers, up and pinging twenty times a second."""
    assert WITHOUT_PABLO != EXAMPLE
    with Sandbox(EXAMPLE, USERS) as made:
        for user in USERS:
            assert made.callers[user].dial(user, "test")["event"] == "up"
            pinging.start(made.callers[user])
        yield made


def others(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [one for one in identities(sandbox) if one["user"] != "pablo"]


def pablo_left(sandbox: Sandbox) -> None:
    sandbox.instance.wait_for(
        lambda status: status["sessions"]["live"] == len(OTHERS), "pablo's end", PATIENCE
    )


def nobody_else_noticed(sandbox: Sandbox, before: list[dict[str, Any]]) -> None:
    assert others(sandbox) == before
    missed = pinging.lost(sandbox.callers)
    assert {user: missed[user] for user in OTHERS} == dict.fromkeys(OTHERS, 0)


def test_a_rollback_brings_a_user_back_and_touches_nobody_else(sandbox: Sandbox) -> None:
    before = others(sandbox)
    sandbox.instance.save(WITHOUT_PABLO)
    sandbox.instance.wait_in_force(WITHOUT_PABLO)
    pablo_left(sandbox)
    assert sandbox.callers["pablo"].dial("pablo", "test")["event"] != "up"
    done = sandbox.instance.command("rollback", "1")
    assert done.returncode == 0, done.stderr
    assert "+ user pablo" in done.stdout
    assert "reconciler resume" in done.stderr
    assert sandbox.callers["pablo"].dial("pablo", "test")["event"] == "up"
    status = sandbox.instance.status()
    assert condition(status, "Paused")
    assert not condition(status, "Ready"), "the file still leaves pablo out"
    assert status["unpredicted_drops_total"] == 0
    sandbox.instance.save(EXAMPLE)
    assert sandbox.instance.command("resume").returncode == 0
    sandbox.instance.wait_in_force(EXAMPLE)
    nobody_else_noticed(sandbox, before)


def test_a_change_that_nobody_confirms_is_undone_though_the_daemon_was_killed(sandbox: Sandbox) -> None:
    before = others(sandbox)
    assert sandbox.instance.command("pause", "--reason", "a risky change").returncode == 0
    sandbox.instance.save(WITHOUT_PABLO)
    site, runtime = str(sandbox.instance.site), str(sandbox.instance.runtime_dir)
    argv = [sys.executable, "-m", "reconciler", "--runtime-dir", runtime]
    waiting = subprocess.Popen(
        [*argv, "apply", site, "--confirm-within", "5s"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    pablo_left(sandbox)
    sandbox.instance.kill()
    sandbox.instance.start(wait=False)
    status = sandbox.instance.wait_for(
        lambda status: status["confirm"] is None and status["generation"]["applied"] == 3,
        "the undo",
        PATIENCE,
    )
    assert condition(status, "Unconfirmed")
    assert waiting.wait(PATIENCE) == 6
    assert sandbox.callers["pablo"].dial("pablo", "test")["event"] == "up"
    assert sandbox.instance.command("resume").returncode == 0
    assert sandbox.instance.command("apply", site, "--dry-run", "--detailed-exitcode").returncode == 2
    assert len(sandbox.instance.sessions()) == len(USERS), "the same content is not taken again"
    told = sandbox.instance.command("history").stdout
    assert "undone" in told
    nobody_else_noticed(sandbox, before)


def test_a_broken_file_does_not_keep_the_next_daemon_from_healing(sandbox: Sandbox) -> None:
    before = others(sandbox)
    sandbox.instance.kill()
    sandbox.instance.save("users: {")
    sandbox.instance.start(wait=False)
    status = sandbox.instance.wait_for(
        lambda status: condition(status, "SourceInvalid"), "the finding", PATIENCE
    )
    message = next(one["message"] for one in status["conditions"] if one["type"] == "SourceInvalid")
    assert message.endswith("; generation 1 stays in force")
    with netns.inside(sandbox.topology.ac):
        sysctl.write(IP_FORWARD, 0)
        sandbox.instance.wait_for(
            lambda status: bool(status["drift"]) and status["drift"][0]["healed"] is not None,
            "the healing",
            PATIENCE,
        )
        assert sysctl.read(IP_FORWARD) == 1
    engine = process(sandbox, "reconciler.engine")
    os.kill(engine, signal.SIGKILL)
    sandbox.instance.wait_for(
        lambda status: status["sessions"]["live"] == len(USERS), "the next engine", PATIENCE
    )
    sandbox.callers["pablo"].order("hangup")
    pablo_left(sandbox)
    assert sandbox.callers["pablo"].dial("pablo", "test")["event"] == "up"
    assert others(sandbox) == before
    events = sandbox.instance.command("why", "pablo").stdout
    assert "online" in events
