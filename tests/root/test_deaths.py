"""Any of the three processes dies under the subscribers' traffic: what they notice of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.lab.instance import condition
from reconciler.lab.sandbox import Sandbox
from reconciler.linux import netns
from tests.patience import PATIENCE
from tests.root import pinging
from tests.root.test_lab_story import EXAMPLE, USERS

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

IDENTITY = ("user", "id", "mac", "address", "since")


@pytest.fixture(params=["tun", "ebpf"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """The example's subscribers, up and pinging twenty times a second."""
    with Sandbox(EXAMPLE, USERS, request.param) as made:
        for user in USERS:
            assert made.callers[user].dial(user, "test")["event"] == "up"
            pinging.start(made.callers[user])
        yield made


def process(sandbox: Sandbox, module: str) -> int:
    """The process of the concentrator's namespace that runs this module."""
    for pid in netns.processes(sandbox.topology.ac):
        if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return pid
    raise AssertionError(f"nobody runs {module}")


def identities(sandbox: Sandbox) -> list[dict[str, Any]]:
    return sorted(({key: one[key] for key in IDENTITY} for one in sandbox.instance.sessions()), key=str)


def ready_with(sandbox: Sandbox, before: list[dict[str, Any]]) -> None:
    sandbox.instance.wait_for(
        lambda status: condition(status, "Ready") and status["sessions"]["live"] == len(before),
        "recovery",
        PATIENCE,
    )
    assert identities(sandbox) == before


def test_an_engine_that_is_killed_loses_nobody_and_no_packet(sandbox: Sandbox) -> None:
    before, engine = identities(sandbox), process(sandbox, "reconciler.engine")
    os.kill(engine, signal.SIGKILL)
    ready_with(sandbox, before)
    assert process(sandbox, "reconciler.engine") != engine
    assert pinging.lost(sandbox.callers) == dict.fromkeys(USERS, 0)


def test_a_reconciler_that_is_killed_is_not_missed_and_the_next_one_takes_over(sandbox: Sandbox) -> None:
    before, engine = identities(sandbox), process(sandbox, "reconciler.engine")
    sandbox.instance.kill()
    sandbox.instance.start()
    ready_with(sandbox, before)
    assert process(sandbox, "reconciler.engine") == engine, "it was adopted, not replaced"
    assert pinging.lost(sandbox.callers) == dict.fromkeys(USERS, 0)


@pytest.mark.parametrize("sandbox", ["tun"], indirect=True)
def test_a_worker_that_is_killed_costs_the_packets_until_the_next_one_and_no_session(
    sandbox: Sandbox, record_property: Callable[[str, object], None]
) -> None:
    before = identities(sandbox)
    os.kill(process(sandbox, "reconciler.engine.datapath.worker"), signal.SIGKILL)
    ready_with(sandbox, before)
    record_property("pings lost with the worker", str(pinging.lost(sandbox.callers)))
    pinging.start(*sandbox.callers.values())
    assert pinging.lost(sandbox.callers) == dict.fromkeys(USERS, 0), "afterwards all is as before"
