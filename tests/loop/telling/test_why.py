"""Accounts of subscribers who call, or do not: what they say, what to do, what Windows shows."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine.access.limits import USUAL
from reconciler.engine.messages import Observation, UserView
from reconciler.loop.telling.events import Events
from reconciler.loop.telling.recall import EACH, SUBSCRIBERS
from reconciler.loop.telling.why import Scene, account, as_mac
from tests.loop.test_parts import NOW, session

MAC = "02:00:00:00:00:01"
USER: UserView = {
    "address": None,
    "enabled": True,
    "sessions": 1,
    "fingerprint": "",
    "rate": {"down": 0, "up": 0},
}


def engine(**more: Any) -> Observation:
    seen: Any = {
        "generation": 1,
        "settings": {"limits": {"failed_logins": USUAL.failed_logins, "lockout": USUAL.lockout}},
        "users": {"theo": USER, "pablo": {**USER, "enabled": False}},
        "listeners": {"eth1": {"interface": "eth1", "ifindex": 2, "mac": "", "mtu": 1500, "up": True}},
        "sessions": [],
        "drops": {},
        "draining": None,
        **more,
    }
    return seen  # type: ignore[no-any-return]


class Case:
    """Events that happened, and the account of somebody. Times are in seconds before now."""

    def __init__(self) -> None:
        self.events = Events()

    def happened(
        self,
        kind: str,
        reason: str,
        user: str | None = "theo",
        ago: float = 10,
        mac: str = MAC,
        number: int = 1,
    ) -> Case:
        self.events.add(
            {
                "time": NOW - ago,
                "type": kind,
                "user": user,
                "mac": mac,
                "id": number,
                "interface": "eth1",
                "reason": reason,
                "generation": 1,
            }
        )
        return self

    def why(self, name: str, seen: Observation | None = None, **more: Any) -> dict[str, Any]:
        return account(name, Scene(self.events, seen or engine(**more), NOW - 3600, NOW))


def numbers(told: dict[str, Any]) -> list[int]:
    return [one["number"] for one in told["windows"]]


def test_a_wrong_password_is_said_with_what_to_do_and_691() -> None:
    told = Case().happened("login_refused", "wrong_password").why("theo")
    assert (
        told["summary"] == "theo is not online. The last login, 10 s ago, was refused: the password is wrong."
    )
    assert told["advice"][0].startswith("type the password again")
    assert numbers(told) == [691]
    assert told["attempts"] == [
        {
            "time": "2025-10-09T08:53:10.000Z",
            "ended": None,
            "outcome": "refused",
            "reason": "wrong_password",
            "explanation": "the password is wrong",
            "advice": told["advice"][0],
            "windows": [691],
            "user": "theo",
            "mac": MAC,
            "id": 1,
            "interface": "eth1",
            "circuit_id": None,
            "remote_id": None,
        }
    ]


@pytest.mark.parametrize(
    ("kind", "reason", "still"),
    [
        ("session_closed", "drained", {"draining": 5.0}),
        ("session_closed", "user_removed", {"users": {}}),
        ("login_refused", "unknown_user", {"users": {}}),
        ("session_closed", "user_disabled", {"users": {"theo": {**USER, "enabled": False}}}),
        ("login_refused", "user_disabled", {"users": {"theo": {**USER, "enabled": False}}}),
    ],
)
def test_what_was_mended_since_is_not_asked_for_again(kind: str, reason: str, still: dict[str, Any]) -> None:
    case = Case().happened(kind, reason)
    (before,) = case.why("theo", **still)["advice"]
    assert before == case.why("theo", **still)["attempts"][0]["advice"]
    assert case.why("theo")["advice"] == ["that is mended since: dial again"]


def test_a_name_never_heard_of_is_said_to_be_so() -> None:
    told = Case().why("zarathustra")
    assert told["summary"] == (
        "site.yaml has no user zarathustra. "
        "Nothing was heard from zarathustra since the daemon began to listen, 2025-10-09 07:53:20 UTC."
    )
    assert told["known"] is False
    assert numbers(told) == [651, 678, 815]
    assert "reconciler trace" in told["advice"][0]


@pytest.mark.parametrize("name", ["Theo", "theo@isp", "teho", " theo"])
def test_a_mistyped_name_is_recognised_from_both_sides(name: str) -> None:
    case = Case().happened("login_refused", "unknown_user", name)
    assert case.why(name)["advice"][0] == "there is a user with almost the same name: theo"
    assert case.why("theo")["advice"][0] == (
        f"somebody calls as {name}, whom site.yaml does not have: correct the name on the subscriber's side"
    )


def test_a_disabled_user_is_said_to_be_so_before_anything_happens() -> None:
    told = Case().why("pablo")
    assert (told["known"], told["enabled"]) == (True, False)
    assert told["summary"].startswith("pablo is disabled in site.yaml. Nothing was heard")


def test_who_is_online_is_said_to_be_online_even_if_it_began_before_we_listened() -> None:
    told = Case().why("theo", sessions=[session(7, since=NOW - 7200)])
    assert told["online"]
    assert told["summary"] == "theo is online for 2h00m: session 0x0007 of 02:00:00:00:00:07 on eth1."
    assert (told["advice"], told["windows"]) == ([], [])
    assert [one["outcome"] for one in told["attempts"]] == ["online"]


def test_a_session_is_one_attempt_from_its_beginning_to_its_end() -> None:
    case = Case().happened("session_opened", "logged_in", ago=100)
    case.happened("session_opened", "logged_in", ago=90)  # IPCP was negotiated anew
    told = case.happened("session_closed", "echo_timeout", ago=10).why("theo")
    assert [(one["time"], one["ended"]) for one in told["attempts"]] == [
        ("2025-10-09T08:51:40.000Z", "2025-10-09T08:53:10.000Z")
    ]
    assert "The last session ended 10 s ago: the subscriber no longer answered." in told["summary"]


def test_a_login_that_came_no_further_is_an_attempt_without_a_beginning() -> None:
    told = Case().happened("session_closed", "network_timeout").why("theo")
    assert [(one["outcome"], one["time"]) for one in told["attempts"]] == [("closed", None)]
    assert numbers(told) == [720, 718]


def test_a_session_that_ended_unheard_is_not_said_to_be_online() -> None:
    told = Case().happened("session_opened", "logged_in", ago=100).why("theo")
    assert not told["online"]
    assert "ended while nobody was listening" in told["summary"]


def test_a_session_that_is_being_ended_is_neither_online_nor_dialling() -> None:
    case = Case().happened("session_opened", "logged_in", ago=100)
    told = case.why("theo", sessions=[session(1, mac=MAC, state="terminate")])
    assert (told["online"], len(told["attempts"])) == (False, 1)
    assert "it is being ended at this moment" in told["summary"]
    refused = Case().happened("login_refused", "wrong_password")
    told = refused.why(MAC, sessions=[session(1, mac=MAC, user=None, state="terminate")])
    assert [one["outcome"] for one in told["attempts"]] == ["refused"]


def test_a_call_that_is_under_way_is_said_to_be() -> None:
    told = Case().why(MAC, sessions=[session(1, mac=MAC, user=None, state="authenticate")])
    assert f"A call is under way: session 0x0001 of {MAC} on eth1." in told["summary"]
    assert told["attempts"][0]["outcome"] == "dialling"


def test_calls_that_fail_before_the_login_are_told_of_the_client_and_of_its_user() -> None:
    case = (
        Case().happened("session_opened", "logged_in", ago=99).happened("session_closed", "replaced", ago=98)
    )
    case.happened("dial_failed", "auth_refused", None, number=2)
    for name in ("theo", MAC, MAC.upper().replace(":", "-")):
        told = case.why(name)
        assert told["attempts"][0]["outcome"] == "failed"
        assert numbers(told) == [919, 734]
    assert case.why("02:00:00:00:00:99")["attempts"] == []


def test_a_refused_login_is_one_attempt_though_its_session_ends_later() -> None:
    case = Case().happened("login_refused", "wrong_password", ago=11)
    told = case.happened("dial_failed", "padt_received", None).why(MAC)
    assert [one["outcome"] for one in told["attempts"]] == ["refused"]


def test_whoever_fails_again_and_again_is_said_to_have_to_wait() -> None:
    case = Case()
    for number in range(USUAL.failed_logins):
        assert "failed logins in a row" not in str(case.why("theo")["advice"])
        case.happened("login_refused", "wrong_password", ago=20 - number, number=number + 1)
    assert "after 5 failed logins in a row there is no answer at all" in case.why("theo")["advice"][-1]
    case.happened("session_opened", "logged_in", ago=1, number=9)
    assert "failed logins in a row" not in str(case.why("theo", sessions=[session(9, mac=MAC)])["advice"])


def test_two_devices_with_one_login_are_noticed_while_one_of_them_is_online() -> None:
    case = Case()
    for number in (1, 2):
        case.happened("session_opened", "logged_in", ago=50 - number, number=number)
        case.happened("session_closed", "replaced", ago=40 - number, number=number)
    told = case.why("theo", sessions=[session(9)])
    assert told["online"]
    assert "two devices use one login" in told["advice"][0]


def test_the_line_is_told_where_it_is_known() -> None:
    told = Case().why("theo", sessions=[session(7, circuit_id="dslam1 eth 2/3", remote_id="cabinet 9")])
    (one,) = told["attempts"]
    assert (one["circuit_id"], one["remote_id"]) == ("dslam1 eth 2/3", "cabinet 9")


def test_commands_in_advice_name_the_subscriber_and_can_be_pasted() -> None:
    name = "th eo{x}'; reboot\x1b"
    case = Case().happened("login_refused", "too_many_sessions", name)
    assert "`reconciler sessions terminate 'th eo{x}'\"'\"'; reboot\\x1b'`" in case.why(name)["advice"][0]
    failed = Case().happened("dial_failed", "no_response", None)
    assert f"`reconciler trace --mac {MAC}`" in failed.why(MAC)["advice"][0]


def test_silence_is_explained_by_what_the_engine_shows() -> None:
    down = {"eth1": {"interface": "eth1", "ifindex": 2, "mac": "", "mtu": 1500, "up": False}}
    told = Case().why("theo", listeners=down, drops={"unknown_service": 3, "rogue_ac": 1, "truncated": 5})
    cable, arrives, ignored, rogue = told["advice"]
    assert cable == "eth1 is down: plug its cable in, or `ip link set eth1 up`"
    assert arrives == "run `reconciler trace` and dial again, to see whether anything arrives on eth1"
    assert ignored.endswith("was started: 3 for a service name that is not in `service_names`")
    assert rogue == "another access concentrator answers on the same line, and may have taken the call"
    assert Case().why("theo", listeners={})["advice"] == ["no interface is served: see `reconciler status`"]


def test_without_an_engine_what_was_heard_is_still_told() -> None:
    case = Case().happened("login_refused", "wrong_password")
    told = account("theo", Scene(case.events, None, NOW, NOW))
    assert (told["known"], told["attempts"][0]["reason"]) == (None, "wrong_password")
    silent = account("pablo", Scene(case.events, None, NOW, NOW))
    assert "the engine does not answer" in silent["advice"][0]


@pytest.mark.parametrize("text", ["02:00:5e:AB:cd:01", "02-00-5e-ab-cd-01", "02005eabcd01", "0200.5eab.cd01"])
def test_a_mac_address_is_understood_in_every_usual_form(text: str) -> None:
    assert as_mac(text) == "02:00:5e:ab:cd:01"


@pytest.mark.parametrize("text", ["theo", "02:00:5e:ab:cd", "02:00-5e:ab:cd:01", "02005eabcd0g", ""])
def test_other_names_are_no_mac_address(text: str) -> None:
    assert as_mac(text) is None


def test_a_user_whose_name_looks_like_a_mac_address_is_a_user() -> None:
    told = (
        Case()
        .happened("login_refused", "wrong_password", "02005eabcd01")
        .why("02005eabcd01", users={"02005eabcd01": USER})
    )
    assert (told["kind"], len(told["attempts"])) == ("user", 1)


def test_a_quiet_subscribers_last_events_outlive_a_busy_log() -> None:
    case = Case().happened("login_refused", "wrong_password", "yunhan", mac="02:00:00:00:00:aa")
    for number in range(6000):
        case.happened("login_refused", "wrong_password", "theo", number=number)
    assert len(case.events.of_user("theo")) == EACH
    assert len(case.events.of_user("yunhan")) == len(case.events.of_mac("02:00:00:00:00:aa")) == 1
    for number in range(SUBSCRIBERS):
        case.happened("login_refused", "unknown_user", f"guess{number}")
    assert case.events.of_user("yunhan") == []
    assert len(case.events.users()) == SUBSCRIBERS
