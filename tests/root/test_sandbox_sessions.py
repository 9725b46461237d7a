"""How calls end, seen from both sides: subscribers from outside, the reconciler's own account of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from reconciler.lab.caller import Caller, CallerError, Event
from reconciler.lab.sandbox import Sandbox
from tests.patience import PATIENCE
from tests.root.ward import HEAD

pytestmark = pytest.mark.root

SITE = f"""\
{HEAD}\
lcp_echo:
  interval: 1
  failures: 3
users:
  theo: test
  pablo:
    password: test
    sessions: 2
"""


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[Sandbox]:
    with Sandbox(SITE, ("one", "two", "silent")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, with nobody in."""
    yield _sandbox
    for caller in _sandbox.callers.values():
        with suppress(CallerError):  # one is killed
            caller.order("hangup")
    nobody_left(_sandbox)


def nobody_left(sandbox: Sandbox) -> None:
    sandbox.instance.wait_for(lambda status: status["sessions"]["live"] == 0, "nobody being in", PATIENCE)


def opened(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The sessions that are up; one that an earlier test ended may still be saying goodbye."""
    return [session for session in sandbox.instance.sessions() if session["state"] == "opened"]


def dial(caller: Caller, user: str, **options: Any) -> Event:
    up = caller.dial(user, "test", **options)
    assert up["event"] == "up", up
    return up


def test_D32_hanging_up_frees_the_session_and_its_address(sandbox: Sandbox) -> None:
    one = sandbox.callers["one"]
    first = dial(one, "theo")
    one.order("hangup")
    nobody_left(sandbox)
    assert dial(one, "theo")["address"] == first["address"]


def test_L36_a_subscriber_who_falls_silent_is_ended(sandbox: Sandbox) -> None:
    silent = sandbox.callers["silent"]
    dial(silent, "theo")
    silent.kill()
    nobody_left(sandbox)


def test_D29_a_second_login_replaces_the_first(sandbox: Sandbox) -> None:
    one, two = sandbox.callers["one"], sandbox.callers["two"]
    first = dial(one, "theo")
    second = dial(two, "theo")
    down = one.wait_event("down", since=one.events.index(first), wait=PATIENCE)
    assert down is not None
    assert (down["by"], down["padt"]) == ("ac", True)
    (session,) = opened(sandbox)
    assert (session["id"], session["mac"]) == (second["id"], sandbox.topology.mac("two"))


def test_a_user_with_two_sessions_may_have_both(sandbox: Sandbox) -> None:
    one, two = (dial(sandbox.callers[line], "pablo") for line in ("one", "two"))
    assert one["address"] != two["address"]
    assert {session["address"] for session in opened(sandbox)} == {one["address"], two["address"]}


@pytest.mark.parametrize("methods", [["pap"], ["chap"]])
def test_L19_the_subscribers_method_is_met(sandbox: Sandbox, methods: list[str]) -> None:
    assert [dial(sandbox.callers["one"], "theo", methods=methods)["method"]] == methods


def test_a_session_ended_by_the_operator_gets_both_goodbyes(sandbox: Sandbox) -> None:
    one = sandbox.callers["one"]
    up = dial(one, "theo")
    ended = sandbox.instance.command("sessions", "terminate", "theo")
    assert ended.returncode == 0, ended.stderr
    down = one.wait_event("down", since=one.events.index(up), wait=PATIENCE)
    assert down is not None
    assert (down["by"], down["terminate_request"], down["padt"]) == ("ac", True, True)
