"""``reconciler drain``: everybody goes, nobody comes, and status says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Daemon, Said


def draining(said: Said) -> tuple[bool, str]:
    return next(
        (one["status"], one["message"]) for one in said.json["conditions"] if one["type"] == "Draining"
    )


def test_drain_ends_everybody_and_status_says_so_until_it_is_undone(
    daemon: Daemon, say: Callable[..., Said]
) -> None:
    daemon.loop.converge(10)
    daemon.engine.dial("theo")
    said = say("drain", "--rate", "20/s")
    assert (said.status, daemon.engine.sessions) == (0, [])
    assert "`reconciler drain --undo` admits subscribers again" in said.err
    daemon.loop.step()
    status = say("status", "-o", "json")
    assert status.json["draining"] == 20
    assert draining(status) == (
        True,
        "nobody is admitted, 20 sessions a second end: `reconciler drain --undo` admits",
    )
    assert status.json["unpredicted_drops_total"] == 0
    assert say("drain", "--undo").status == 0
    daemon.loop.step()
    status = say("status", "-o", "json")
    assert (status.json["draining"], draining(status)) == (None, (False, ""))


def test_drain_may_be_begun_alone(daemon: Daemon, say: Callable[..., Said]) -> None:
    said = say("drain", "--no-wait", "-o", "json")
    assert (said.status, said.json) == (0, {"draining": 50.0})


def test_what_is_no_pace_is_refused(daemon: Daemon, say: Callable[..., Said]) -> None:
    for pace in ("fast", "0", "-1", "1e9", "10/m", "9999999"):
        assert say("drain", "--rate", pace).status == 64, pace
    assert say("drain", "--undo", "--rate", "5").status == 64
    assert daemon.engine.draining is None


@pytest.mark.parametrize("rate", [0, -5, True, "20", None, 1e9])
def test_the_door_refuses_what_is_no_pace(daemon: Daemon, rate: object) -> None:
    status, answer = daemon.service.drain({"rate": rate})
    assert (status, answer["error"]["code"]) == (400, "bad_request")
    assert daemon.engine.draining is None


def test_without_a_daemon_it_says_so(say: Callable[..., Said]) -> None:
    assert say("drain").status == 7
