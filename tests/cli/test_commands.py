"""Every command against a live daemon: what it prints, where, and how it exits."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from reconciler.linux.sysctl import IP_FORWARD
from reconciler.loop.answering.orders import Orders
from tests.cli.conftest import Daemon, Said
from tests.fakes.engine import password
from tests.loop.world import SITE, hear

Say: TypeAlias = Callable[..., Said]
PABLO = "  pablo:\n    password: two\n    ip: 10.0.1.9\n"


def ready(say: Say) -> None:
    assert say("status", "--wait").status == 0


def test_status_says_what_is_wanted_and_in_force(daemon: Daemon, say: Say) -> None:
    ready(say)
    said = say("status")
    assert (said.status, said.err) == (0, "")
    assert "1 in force, 1 wanted" in said.out
    assert "generation 1 is in force" in said.out


def test_status_in_json_has_the_documented_keys(daemon: Daemon, say: Say) -> None:
    ready(say)
    daemon.engine.dial("theo")
    status = say("status", "-o", "json").json
    assert status["generation"] == {"desired": 1, "applied": 1}
    assert status["source"].keys() >= {"file", "sha256", "commit", "dirty"}
    assert status["sessions"] == {"live": 1, "stale": 0}
    assert status["datapath"] == "tun"
    assert status["drift"] == []
    assert {one["type"] for one in status["conditions"]} >= {"Ready", "Drifted", "Held", "SourceInvalid"}
    for one in status["conditions"]:
        assert one.keys() == {"type", "status", "reason", "message", "since"}
        assert datetime.fromisoformat(one["since"]).tzinfo is not None


def test_status_in_ndjson_is_one_line(daemon: Daemon, say: Say) -> None:
    ready(say)
    lines = say("status", "-o", "ndjson").out.splitlines()
    assert [json.loads(line)["generation"]["applied"] for line in lines] == [1]


def test_edit_is_applied_by_itself_and_second_apply_says_no_changes(daemon: Daemon, say: Say) -> None:
    ready(say)
    daemon.edit(SITE.replace("one", "three"))
    assert say("apply", daemon.path).status == 0
    said = say("apply", daemon.path)
    assert said.status == 0
    assert said.out.startswith("No changes.")
    assert daemon.engine.users["theo"]["secret"] == password("three")


def test_dry_run_names_what_apply_then_touches(daemon: Daemon, say: Say, tmp_path: Path) -> None:
    ready(say)
    daemon.engine.dial("theo")
    pablo = daemon.engine.dial("pablo")
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text(SITE.replace(PABLO, ""))
    said = say("apply", candidate, "--dry-run")
    assert said.status == 0
    assert "- user pablo" in said.out
    assert f"session 0x{pablo['id']:04x}" in said.out
    assert len(daemon.engine.live()) == 2
    plan = say("apply", candidate, "--dry-run", "-o", "json").json
    assert plan.keys() >= {"format_version", "base_generation", "changes", "totals"}
    change = plan["changes"][0]
    assert change.keys() >= {"op", "path", "from", "to", "impact", "sessions", "where"}
    assert [session["id"] for session in change["sessions"]] == [pablo["id"]]
    assert say("apply", candidate, "--dry-run", "--detailed-exitcode").status == 2
    assert say("apply", daemon.path, "--dry-run", "--detailed-exitcode").status == 0
    daemon.path.write_text(candidate.read_text())
    assert say("apply", daemon.path).status == 0
    assert [session["user"] for session in daemon.engine.live()] == ["theo"]


def test_dry_run_of_the_watched_file_says_the_next_command(daemon: Daemon, say: Say) -> None:
    ready(say)
    daemon.rest()
    daemon.edit(SITE.replace("one", "three"))
    said = say("apply", daemon.path, "--dry-run")
    assert said.err == f"next: reconciler apply {daemon.path}\n"
    assert say("apply", daemon.path, "--dry-run", "-q").err == ""


def test_apply_of_another_file_than_the_one_watched_is_refused(
    daemon: Daemon, say: Say, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SITE)
    said = say("apply", other)
    assert (said.status, said.out) == (1, "")
    assert "would undo" in said.err
    other.unlink()
    said = say("apply", other)
    assert said.status == 1
    assert f"there is no {other}" in said.err


def test_apply_through_a_link_to_the_watched_file_is_the_same_file(
    daemon: Daemon, say: Say, tmp_path: Path
) -> None:
    (tmp_path / "link.yaml").symlink_to(daemon.path)
    assert say("apply", tmp_path / "link.yaml").status == 0


def test_status_before_the_first_look_says_so(daemon: Daemon, say: Say) -> None:
    daemon.rest()
    daemon.board.report = None
    daemon.board._conditions.clear()
    said = say("status")
    assert said.status == 0
    assert "source      not read yet\n" in said.out
    assert "CONDITION" not in said.out
    assert "ask again in a moment" in said.out


def test_a_file_that_became_a_link_to_itself_is_said_by_every_command(daemon: Daemon, say: Say) -> None:
    ready(say)
    daemon.path.unlink()
    daemon.path.symlink_to(daemon.path.name)
    why = "Too many levels of symbolic links"
    said = say("apply", daemon.path)
    assert said.status == 1
    assert why in said.err
    said = say("status")
    assert said.status == 0
    assert why in said.out
    assert say("status", "--wait", "--commit", "4f2c91e", "--timeout", "0.1").status == 6


def test_apply_of_an_invalid_file_shows_the_findings(daemon: Daemon, say: Say) -> None:
    ready(say)
    daemon.edit(SITE.replace("pool_size: 8", "pool_size: many"))
    for arguments in ((), ("--dry-run",)):
        said = say("apply", daemon.path, *arguments)
        assert (said.status, said.out) == (1, "")
        assert "site.yaml:5:12" in said.err
        assert "^^^^" in said.err


def test_apply_in_part_exits_3_and_says_what_is_missing(daemon: Daemon, say: Say) -> None:
    ready(say)
    daemon.edit(SITE.replace("interface: eth1", "interface: [eth1, usb0]"))
    said = say("apply", daemon.path)
    assert said.status == 3
    assert "interface usb0 is not there, and waited for; there is eth1" in said.err


def test_apply_that_does_not_settle_in_time_exits_6(daemon: Daemon, say: Say) -> None:
    ready(say)
    daemon.engine.dial("pablo")
    daemon.engine.polite = True
    daemon.edit(SITE.replace(PABLO, ""))
    said = say("apply", daemon.path, "--timeout", "0.3")
    assert said.status == 6
    assert "sessions being ended" in said.err
    daemon.engine.hang_up_ended()


def test_a_held_change_exits_4_and_is_released_by_its_plan_id_alone(daemon: Daemon, say: Say) -> None:
    whole = SITE + "".join(f"  u{number}: x\n" for number in range(8))
    daemon.edit(whole)
    ready(say)
    daemon.edit(SITE)
    said = say("apply", daemon.path, "-o", "json")
    assert said.status == 4
    assert (said.json["result"], said.json["plan"]["guard"]["verdict"]) == ("held", "held")
    assert said.json["plan"]["guard"]["users"] == {"removed": 8, "known": 10, "limit": "20%"}
    assert "u7" in daemon.engine.users
    shown = say("apply", daemon.path, "--dry-run")
    assert "guard: revokes 8 of 10 users (limit 20 %), drops 0 of 0 sessions (limit 20 %): held" in shown.out
    name = said.json["plan"]["id"]
    assert f"next: reconciler apply {daemon.path} --allow-guard {name}" in shown.err
    status = say("status")
    assert "GuardExceeded" in status.out
    assert say("apply", daemon.path, "--allow-guard", "0123456789ab").status == 5
    assert say("apply", daemon.path, "--dry-run", "--allow-guard", name).status == 64
    assert "u7" in daemon.engine.users
    said = say("apply", daemon.path, "--allow-guard", name)
    assert (said.status, sorted(daemon.engine.users)) == (0, ["pablo", "theo"])
    assert "(limit 20 %): held, and released" in said.out
    assert "(limit 20 %): held, and released" in say("history", said.err.split()[1]).out
    assert f"plan_released plan {name}, by " in say("events").out
    assert say("apply", daemon.path, "--allow-guard", name).status == 5


def test_what_was_released_is_told_by_the_apply_that_released_it(
    daemon: Daemon, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another pass is due at the very moment: it must not carry out in silence what was let through."""
    daemon.edit(SITE + "".join(f"  u{number}: x\n" for number in range(8)))
    ready(say)
    daemon.edit(SITE)
    name = say("apply", daemon.path, "-o", "json").json["plan"]["id"]
    daemon.rest()
    other = threading.Thread(target=daemon.loop.step)
    take, converge = Orders.take, daemon.loop.converge

    def taken_while_another_is_due(*arguments: Any) -> Any:
        try:
            return take(*arguments)
        finally:
            other.start()

    def after_the_other(*arguments: Any) -> Any:
        other.join()
        return converge(*arguments)

    monkeypatch.setattr(Orders, "take", taken_while_another_is_due)
    monkeypatch.setattr(daemon.loop, "converge", after_the_other)
    said = say("apply", daemon.path, "--allow-guard", name)
    assert (said.status, said.out.count("- user ")) == (0, 8)


def test_sessions_lists_and_filters(daemon: Daemon, say: Say) -> None:
    ready(say)
    theo, pablo = daemon.engine.dial("theo"), daemon.engine.dial("pablo")
    pablo["stale"] = True
    said = say("sessions", "-o", "json")
    assert [session["user"] for session in said.json] == ["theo", "pablo"]
    keys = ["user", "address", "peer", "mac", "id", "interface", "state", "since", "uptime_s", "generation"]
    keys += ["stale", "rx_bytes", "tx_bytes", "rx_packets", "tx_packets", "circuit_id", "remote_id"]
    keys += ["rate_limit"]
    assert list(said.json[0]) == keys
    assert said.json[0]["id"] == theo["id"]
    assert [session["user"] for session in say("sessions", "--stale", "-o", "json").json] == ["pablo"]
    text = say("sessions").out
    assert "theo" in text
    assert "50M/-" in text
    assert "1*" in text
    lines = say("sessions", "-o", "ndjson").out.splitlines()
    assert [json.loads(line)["user"] for line in lines] == ["theo", "pablo"]


@pytest.mark.parametrize("how", [("pablo",), ("--id", "0x2"), ("--address", "10.0.1.9")])
def test_sessions_terminate_ends_only_what_is_named(daemon: Daemon, say: Say, how: tuple[str, ...]) -> None:
    ready(say)
    daemon.engine.dial("theo")
    daemon.engine.dial("pablo")
    said = say("sessions", "terminate", *how, "-o", "json")
    assert said.status == 0
    assert [session["user"] for session in said.json] == ["pablo"]
    assert [session["user"] for session in daemon.engine.live()] == ["theo"]


def test_sessions_roll_ends_the_stale_ones_and_nobody_else(daemon: Daemon, say: Say) -> None:
    ready(say)
    for user in ("theo", "pablo"):
        daemon.engine.dial(user)["stale"] = user == "pablo"
    said = say("sessions", "roll", "--rate", "50/s", "-o", "json")
    assert (said.status, [session["user"] for session in said.json]) == (0, ["pablo"])
    assert [session["user"] for session in daemon.engine.live()] == ["theo"]
    assert "ended: 0" in say("sessions", "roll").err


def test_sessions_terminate_of_nobody_is_an_error(daemon: Daemon, say: Say) -> None:
    ready(say)
    said = say("sessions", "terminate", "nobody")
    assert said.status == 1
    assert "no live session has the user nobody" in said.err
    assert say("sessions", "terminate").status == 64


def test_names_from_outside_cannot_move_the_cursor(daemon: Daemon, say: Say) -> None:
    ready(say)
    session = daemon.engine.dial("theo")
    session["user"] = "th\x1b[2Jeo"
    daemon.engine.tell("login_refused", session, "wrong_password")
    assert "\x1b" not in say("sessions").out + say("events").out


def test_events_tell_who_and_why(daemon: Daemon, say: Say) -> None:
    ready(say)
    daemon.engine.hang_up(daemon.engine.dial("theo"), "padt_received")
    hear(daemon.events, "session_closed")
    events = [json.loads(line) for line in say("events", "-o", "ndjson").out.splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds == ["generation_applied", "session_opened", "session_closed"]
    assert events[-1].keys() == {
        *("time", "type", "user", "mac", "id", "interface", "circuit_id", "remote_id", "reason"),
        *("generation", "commit"),
    }
    assert (events[-1]["user"], events[-1]["reason"]) == ("theo", "padt_received")
    assert "session_closed theo 0x0001" in say("events").out
    assert say("events", "-f", "-o", "json").status == 64


def test_drift_is_shown_with_what_was_found(daemon: Daemon, say: Say) -> None:
    daemon.edit(SITE + "forwarding: {ip_forward: true}\n")
    assert say("apply", daemon.path).status == 0
    daemon.kernel.values[IP_FORWARD] = 0
    assert say("apply", daemon.path).status == 0
    entry = say("status", "-o", "json").json["drift"][0]
    assert (entry["path"], entry["from"], entry["to"]) == ("forwarding.ip_forward", False, True)
    assert entry["healed"] is not None
    assert "put back" in say("status").out
    daemon.kernel.routes.clear()
    assert say("apply", daemon.path).status == 0
    assert re.search(r"^kernel\.route\.\S+ +missing +present +put back", say("status").out, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("sessions",), ("events",), ("apply", "site.yaml"), ("sessions", "terminate", "theo")],
)
def test_without_a_daemon_commands_exit_7_and_say_how_to_start_one(
    say: Say, arguments: tuple[str, ...]
) -> None:
    said = say(*arguments)
    assert (said.status, said.out) == (7, "")
    assert "reconciler run site.yaml" in said.err


def test_dry_run_without_a_daemon_plans_against_the_kernel(say: Say, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    said = say("apply", site, "--dry-run")
    assert said.status == 0
    assert "+ user theo" in said.out
    assert "live sessions not seen" in said.err
    assert say("apply", site, "--dry-run", "--detailed-exitcode", "-q").err == ""
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_file_that_cannot_be_used_is_explained_in_lines_without_gaps(
    daemon: Daemon, say: Say, options: tuple[str, ...]
) -> None:
    ready(say)
    daemon.edit(SITE.replace("pool_size: 8", "pool_size: many"))
    said = say("apply", daemon.path, *options)
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("error[E122]")
    assert said.err.endswith("site.yaml: 1 error\n")


def test_what_cannot_be_planned_is_said_once_without_a_daemon(say: Say, tmp_path: Path) -> None:
    said = say("apply", tmp_path, "--dry-run")
    assert (said.status, said.err.count("error")) == (1, 1)
    broken = tmp_path / "broken.yaml"
    broken.write_text(SITE.replace("pool_size: 8", "pool_size: many"))
    said = say("apply", broken, "--dry-run")
    assert (said.status, said.err.count("not a whole number")) == (1, 1)
    assert said.err.endswith(f"error: {broken} has errors: mend them first\n")


def test_no_password_reaches_any_output(daemon: Daemon, say: Say, tmp_path: Path) -> None:
    secret = "open-sesame-0815"
    daemon.edit(SITE.replace("one", secret))
    candidate = tmp_path / "candidate.yaml"
    outputs = [say("apply", daemon.path), say("apply", daemon.path, "-o", "json")]
    daemon.engine.dial("theo")
    for text in (
        SITE.replace("one", f"x{secret}"),
        SITE.replace("one", f"[{secret}]"),
        f"{secret}: 1\n" + SITE,
    ):
        candidate.write_text(text)
        outputs += [say("apply", candidate, "--dry-run", *form) for form in ((), ("-o", "json"))]
        outputs += [say("validate", candidate, *form) for form in ((), ("-o", "json"), ("-o", "github"))]
    outputs += [say(name, "-o", form) for name in ("status", "sessions") for form in ("text", "json")]
    outputs.append(say("events"))
    for said in outputs[:6] + outputs[-5:]:
        assert secret not in said.out + said.err


def test_dry_run_as_a_comment_on_a_pull_request(daemon: Daemon, say: Say, tmp_path: Path) -> None:
    ready(say)
    daemon.engine.dial("pablo")
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text(SITE.replace(PABLO, "  '@everyone|': hunter2\n"))
    said = say("apply", candidate, "--dry-run", "-o", "markdown")
    assert said.status == 0
    assert said.out.startswith("### 2 changes, **1 of 1 sessions ends**\n")
    assert "<code>user &#64;everyone&#124;</code>" in said.out
    assert "ends <code>0x" in said.out
    assert "hunter2" not in said.out + said.err
    assert say("apply", daemon.path, "-o", "markdown").status == 64


def test_a_comment_without_a_daemon_says_that_no_sessions_were_seen(say: Say, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    said = say("apply", site, "--dry-run", "-o", "markdown")
    assert said.status == 0
    assert "live sessions not seen" in said.out
