"""``reconciler why`` against a live daemon."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from tests.cli.conftest import Daemon, Said
from tests.loop.test_parts import session

Say: TypeAlias = Callable[..., Said]


def heard(daemon: Daemon, count: int) -> None:
    """Wait until so many events of sessions have arrived."""
    while len([one for one in daemon.events.after(0, 5.0) if one.event["mac"]]) < count:
        time.sleep(0.01)


def refused(daemon: Daemon, say: Say, user: str, reason: str = "wrong_password") -> None:
    assert say("status", "--wait").status == 0
    daemon.engine.tell("login_refused", session(1, user=user, state="authenticate"), reason)
    heard(daemon, 1)


def test_why_says_what_happened_what_to_do_and_what_windows_shows(daemon: Daemon, say: Say) -> None:
    refused(daemon, say, "theo")
    said = say("why", "theo")
    assert (said.status, said.err) == (0, "")
    first, windows, advice, _, head, row = said.out.splitlines()
    assert first.startswith("theo is not online. The last login, ")
    assert first.endswith("was refused: the password is wrong.")
    assert windows == "Windows shows 691 (access was denied: wrong user name or password)."
    assert advice.startswith("Do: type the password again")
    assert head.split()[0] == "WHEN"
    assert "refused: the password is wrong  691      theo  02:00:00:00:00:01  eth1       0x0001" in row


def test_why_of_a_mac_address_and_of_who_is_online(daemon: Daemon, say: Say) -> None:
    assert say("status", "--wait").status == 0
    live = daemon.engine.dial("theo")
    heard(daemon, 1)
    for name in ("theo", live["mac"].upper()):
        told = say("why", name, "-o", "json").json
        assert (told["online"], told["attempts"][0]["outcome"]) == (True, "online")
    assert "theo is online" in say("why", "theo").out


def test_why_names_the_line_where_there_is_a_name(daemon: Daemon, say: Say) -> None:
    assert say("status", "--wait").status == 0
    daemon.engine.dial("theo")["circuit_id"] = "dslam1 eth 2/3"
    heard(daemon, 1)
    head, row = say("why", "theo").out.splitlines()[-2:]
    assert head.endswith("LINE")
    assert row.endswith("dslam1 eth 2/3")


def test_why_of_somebody_never_heard_of_exits_0_and_says_so(daemon: Daemon, say: Say) -> None:
    assert say("status", "--wait").status == 0
    said = say("why", "nobody")
    assert (said.status, said.err) == (0, "")
    assert "site.yaml has no user nobody. Nothing was heard from nobody" in said.out
    assert "651" in said.out


def test_why_of_a_name_that_somebody_mistyped(daemon: Daemon, say: Say) -> None:
    refused(daemon, say, "Theo", "unknown_user")
    assert "almost the same name: theo" in say("why", "Theo").out
    assert "somebody calls as Theo" in say("why", "theo").out


def test_why_cannot_move_the_cursor(daemon: Daemon, say: Say) -> None:
    refused(daemon, say, "th\x1b[2Jeo", "too_many_sessions")
    assert "\x1b" not in say("why", "th\x1b[2Jeo").out


def test_why_in_json_has_the_documented_keys(daemon: Daemon, say: Say) -> None:
    refused(daemon, say, "theo")
    told = say("why", "theo", "-o", "json").json
    assert list(told) == [
        *("name", "kind", "known", "enabled", "online", "summary", "advice", "windows", "attempts"),
        "listening_since",
    ]
    assert told["windows"][0]["number"] == 691


def test_why_wants_a_name(say: Say) -> None:
    assert say("why").status == 64
    assert say("why", "theo").status == 7


def test_status_names_the_interfaces_that_are_served(daemon: Daemon, say: Say) -> None:
    assert say("status", "--wait").status == 0
    ports = say("status", "-o", "json").json["interfaces"]
    assert [(port["interface"], port["up"], port["mtu"]) for port in ports] == [("eth1", True, 1500)]
