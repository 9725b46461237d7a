"""The plan as it is read: aligned, counted, and harmless to a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reconciler.plan.diff import make_plan
from reconciler.plan.render import FORMAT_VERSION, as_json, as_text
from reconciler.plan.state import SessionRef, State, Value
from reconciler.plan.words import duration, share
from reconciler.site.place import Path as SitePath
from reconciler.site.place import Place
from tests.golden import assert_golden
from tests.plan.worlds import BASE, DEFAULT, GENTLE, Choices, changed, session, user

GOLDEN = Path(__file__).parent / "golden"
PLACES: dict[SitePath, Place] = {
    ("users", "theo"): Place(18, 3, 18, 7),
    ("users", "pablo"): Place(24, 3, 24, 8),
    ("users", "yunhan"): Place(31, 3, 31, 9),
    ("dns_servers",): Place(40, 1, 40, 12),
}
CROWD = (
    session("pablo", 0x13, "10.64.0.9", uptime=3 * 86400 + 2 * 3600),
    session("theo", 0x2A, "10.0.0.3"),
    *(session(f"user{number}", 0x100 + number, f"10.0.1.{number}") for number in range(212)),
)
EDITED = changed(
    users__pablo=None,
    users__theo=user("cc"),
    users__yunhan=user(ip="10.0.0.9"),
    dns_servers=["1.1.1.1", "9.9.9.9"],
)
DRIFTED = changed(forwarding__proxy_arp__eth1=False)


def shown(
    desired: State,
    actual: State = BASE,
    live: tuple[SessionRef, ...] | None = CROWD,
    policy: Choices = DEFAULT,
    applied: State = BASE,
) -> str:
    drifting = {"forwarding.proxy_arp.eth1": 14.0}
    plan = make_plan(desired, actual, applied, live, PLACES, policy, base_generation=41, drifting=drifting)
    return as_text(plan, source="site.yaml  main@4f2c91e (clean)", next_step="reconciler apply site.yaml")


EVERYTHING = changed(
    users__pablo=user("cc", ip="10.0.0.9", sessions=2, enabled=False),
    users__theo=None,
    interface__eth2=None,
    interface__eth3={},
    ac_name="OTHER",
    service_names=["internet", "voice"],
    dns_servers=[],
    pool_size=2,
    mtu=1400,
    forwarding__ip_forward=None,
    forwarding__proxy_arp__eth1=False,
    lcp_echo__interval=0,
    kernel__address__x={},
)
FEW = (
    session("theo", 1, "10.0.0.2", uptime=59),
    session("theo", 2, "10.0.0.4", uptime=60),
    session("pablo", 3, "10.0.0.5", interface="eth2", uptime=7500),
    session(None, 4, None),
    session("other", 5, "10.0.0.6"),
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("edited", shown(EDITED, DRIFTED)),
        ("unseen", shown(EDITED, DRIFTED, None)),
        ("empty", shown(BASE)),
        ("everything", shown(EVERYTHING, live=FEW)),
        ("drained", shown(changed(users__theo=None, users__pablo=None), live=FEW, policy=GENTLE)),
        ("interface_gone", shown(changed(interface__eth1=None))),
        ("first", shown(BASE, {}, (), applied={})),
        ("drift", shown(BASE, changed(users__theo=None, mtu=1400, kernel__route__x={}))),
    ],
)
def test_plans_look_like_this(name: str, text: str) -> None:
    assert_golden(GOLDEN / f"{name}.txt", text)


def test_switches_look_as_where_they_are_written() -> None:
    lines = shown(changed(access_only=True, forwarding__ip_forward=False), {**BASE, "access_only": False})
    assert "~ access_only  false -> true" in lines
    assert "~ ip_forward  1 -> 0" in lines


def test_an_empty_plan_begins_so() -> None:
    assert shown(BASE).startswith("No changes.\n")


def test_colour_adds_nothing_but_colour() -> None:
    plan = make_plan(EDITED, DRIFTED, BASE, CROWD, PLACES, DEFAULT)
    coloured = as_text(plan, colour=True)
    assert "\x1b[31m-\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9]+m", "", coloured) == as_text(plan)


def test_notes_stand_between_the_totals_and_the_next_command() -> None:
    plan = make_plan(changed(mtu=1400), BASE, BASE, (), {}, DEFAULT)
    assert as_text(plan, notes=["guard: ok"], next_step="apply").splitlines()[-2:] == [
        "guard: ok",
        "next: apply",
    ]


def test_names_cannot_speak_to_the_terminal() -> None:
    evil = "a\x1b[2Jb\r\n\u202ec"
    desired: dict[str, Value] = {**BASE, f"users.{evil}": user(), f"interface.{evil}": {}, "ac_name": evil}
    actual: dict[str, Value] = {**BASE, f"interface.{evil}2": {}}
    text = as_text(make_plan(desired, actual, BASE, CROWD, {}, DEFAULT), source=evil)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert r"user a\x1b[2Jb\x0d\x0a\u202ec" in text


def test_wide_names_keep_the_columns_straight() -> None:
    desired = changed(users__theo=user("cc"))
    desired["users.日本語"] = user()
    places = {**PLACES, ("users", "日本語"): Place(31, 3, 31, 6)}
    lines = as_text(make_plan(desired, BASE, BASE, CROWD, places, DEFAULT)).splitlines()
    # Three characters of two columns each.
    assert lines[1].index(":18") == lines[2].index(":31") + 3


def test_json_has_the_documented_keys() -> None:
    plan = make_plan(
        changed(users__pablo=None, mtu=1400), BASE, BASE, FEW[:3], PLACES, DEFAULT, base_generation=41
    )
    pablo = {"user": "pablo", "id": 3, "address": "10.0.0.5", "mac": "02:00:00:00:00:03", "interface": "eth2"}
    theo = [
        {"user": "theo", "id": n, "address": address, "mac": f"02:00:00:00:00:0{n}", "interface": "eth1"}
        for n, address in ((1, "10.0.0.2"), (2, "10.0.0.4"))
    ]
    assert as_json(plan) == {
        "format_version": FORMAT_VERSION,
        "id": plan.id,
        "base_generation": 41,
        "changes": [
            {
                "op": "remove",
                "path": "users.pablo",
                "from": user("bb"),
                "to": None,
                "impact": "DROP",
                "sessions": [{**pablo, "impact": "DROP"}],
                "where": {"line": 24, "column": 3},
                "reason": "",
            },
            {
                "op": "update",
                "path": "mtu",
                "from": 1492,
                "to": 1400,
                "impact": "LATER",
                "sessions": [{**entry, "impact": "LATER"} for entry in theo],
                "where": None,
                "reason": "",
            },
        ],
        "totals": {
            "users": {"added": 0, "updated": 0, "removed": 1},
            "settings": 1,
            "kernel": 0,
            "drift": 0,
            "sessions": {"live": 3, "dropped": 1, "later": 2},
        },
    }
    assert json.dumps(as_json(plan))


def test_json_does_not_count_sessions_that_nobody_saw() -> None:
    totals = as_json(make_plan(changed(mtu=1400), BASE, BASE, None, {}, DEFAULT))["totals"]
    assert totals["sessions"] == {"live": None, "dropped": None, "later": None}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0 s"), (0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1h00m"),
     (7500, "2h05m"), (86399, "23h59m"), (86400, "1d00h"), (266400, "3d02h")],
)  # fmt: skip
def test_durations_are_said_in_two_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("part", "whole", "said"), [(1, 214, "0.5 %"), (0, 5, "0 %"), (5, 5, "100 %"), (1, 3, "33 %")]
)
def test_shares_are_percentages(part: int, whole: int, said: str) -> None:
    assert share(part, whole) == said


def test_routes_that_come_together_are_told_together() -> None:
    routes: dict[str, Value] = {f"kernel.route.10.0.{n}.0/24": {} for n in range(5)}
    text = shown({**BASE, **routes})
    assert "+ 5 routes  10.0.0.0/24, 10.0.1.0/24, 10.0.2.0/24, ...\n" in text
    assert "addresses and routes ~5." in text
