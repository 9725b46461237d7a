"""What was, and going back to it: history, diff, rollback, pause, resume, confirm, saved plans, by their
output and exit status.
"""

from __future__ import annotations

import json
import re
import shlex
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import click
import pytest

from reconciler.cli.root import root
from reconciler.control.client import AnswerError, Client
from tests.cli.conftest import Daemon, Said
from tests.fakes.engine import password
from tests.generate import ROOT
from tests.loop.world import SITE
from tests.patience import PATIENCE

Say: TypeAlias = Callable[..., Said]
SECRET = "open-sesame-0815"
SECOND = SITE.replace("one", SECRET)
WITHOUT_PABLO = SITE.replace("  pablo:\n    password: two\n    ip: 10.0.1.9\n", "")


def ready(say: Say) -> None:
    assert say("status", "--wait").status == 0


def apply(daemon: Daemon, say: Say, text: str) -> None:
    daemon.edit(text)
    assert say("apply", daemon.path).status == 0


def theo(daemon: Daemon) -> object:
    return daemon.engine.users["theo"]["secret"]


@contextmanager
def meanwhile(daemon: Daemon, act: Callable[[Client], object]) -> Iterator[None]:
    """Does something as soon as a change is on trial."""

    def run() -> None:
        client, over = Client(daemon.directory), threading.Event()
        while client.get("/v1/status")["confirm"] is None and not over.wait(0.02):
            pass
        act(client)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join(PATIENCE)


def test_history_tells_the_generations_newest_first(daemon: Daemon, say: Say) -> None:
    ready(say)
    apply(daemon, say, SECOND)
    found = say("history", "-o", "json").json
    assert [(one["number"], one["state"], one["origin"], one["kept"]) for one in found] == [
        (2, "in_force", "file", True),
        (1, "applied", "file", True),
    ]
    assert found[0].keys() == {
        *("number", "state", "created", "applied", "commit", "author", "dirty", "sha256", "origin"),
        *("origin_generation", "by", "confirmed", "kept"),
    }
    lines = say("history", "-o", "ndjson").out.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [2, 1]
    assert say("history", "--limit", "1").out.count("\n") == 2


def test_history_of_one_tells_its_plan_and_what_came_of_it(daemon: Daemon, say: Say) -> None:
    ready(say)
    session = daemon.engine.dial("pablo")
    apply(daemon, say, WITHOUT_PABLO)
    one = say("history", "2", "-o", "json").json
    assert one["sessions_ended"] == 1
    assert one["plan"]["changes"][0]["path"] == "users.pablo"
    assert one["failures"] == []
    text = say("history", "2").out
    assert "- user pablo" in text
    assert f"0x{session['id']:04x}" in text
    said = say("history", "9")
    assert (said.status, said.out) == (1, "")
    assert "no generation 9" in said.err


def test_history_of_what_could_not_be_done_names_what_failed(daemon: Daemon, say: Say) -> None:
    ready(say)
    daemon.edit(SITE.replace("interface: eth1", "interface: [eth1, usb0]"))
    assert say("apply", daemon.path).status == 3
    one = say("history", "2", "-o", "json").json
    assert one["state"] == "in_part"
    assert [failure["path"] for failure in one["failures"]] == ["interface.usb0"]
    assert "interface usb0 is not there" in say("history", "2").out
    apply(daemon, say, SITE)
    assert say("history", "2", "-o", "json").json["state"] == "in_part", "also when it no longer stands"


def test_the_text_of_a_generation_is_had_back_by_its_owner_alone(
    daemon: Daemon, say: Say, tmp_path: Path
) -> None:
    ready(say)
    apply(daemon, say, SECOND)
    out = tmp_path / "old.yaml"
    said = say("history", "1", "--out", out)
    assert (said.status, out.read_text()) == (0, SITE)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert say("history", "2", "--out", out).status == 1, "it is there already"
    assert say("history", "2", "--out", out, "--force").status == 0
    assert out.read_text() == SECOND
    assert say("history", "7", "--out", out, "--force").status == 1
    assert say("history", "--out", out).status == 64
    assert say("history", "1", "--force").status == 64


def test_diff_tells_what_a_change_does_and_holds_secrets_back(daemon: Daemon, say: Say) -> None:
    ready(say)
    apply(daemon, say, SECOND)
    said = say("diff", "1", "2")
    assert said.status == 2
    assert "~ user theo  password changed" in said.out
    assert "-  theo: ********" in said.out
    assert SECRET not in said.out
    found = say("diff", "1", "2", "-o", "json").json
    assert found["different"]
    assert [change["path"] for change in found["plan"]["changes"]] == ["users.theo"]
    assert SECRET not in json.dumps(found)


def test_diff_knows_the_file_and_what_is_live(daemon: Daemon, say: Say) -> None:
    ready(say)
    assert say("diff", "1").status == 0
    assert say("diff", "1").out.startswith("No changes.")
    assert say("diff", "live", "file").status == 0
    daemon.rest()
    daemon.edit(WITHOUT_PABLO)
    said = say("diff", "live", "file")
    assert said.status == 2
    assert "- user pablo" in said.out
    daemon.edit(f"# a remark\n{SITE}")
    said = say("diff", "live", "file")
    assert said.status == 0, "other words, but nothing else"
    daemon.edit("nonsense")
    assert say("diff", "live", "file").status == 1
    assert say("diff", "1", "elsewhere").status == 1
    assert say("diff", "1", "99").status == 1


def test_rollback_says_how_to_bring_the_file_there_too(daemon: Daemon, say: Say) -> None:
    ready(say)
    session = daemon.engine.dial("theo")
    apply(daemon, say, WITHOUT_PABLO)
    said = say("rollback", "1")
    assert said.status == 0
    assert "+ user pablo" in said.out
    assert "generation 3 is in force" in said.err
    assert f"reconciler history 1 --out {daemon.path} --force\n  reconciler resume\n" in said.err
    assert "pablo" in daemon.engine.users
    assert daemon.engine.live() == [session]
    assert "RolledBack" in say("status").out
    assert say("history", "3", "-o", "json").json["origin_generation"] == 1
    assert say("history", "1", "--out", daemon.path, "--force").status == 0
    assert say("resume").status == 0
    ready(say)
    assert say("status", "-o", "json").json["generation"] == {"desired": 3, "applied": 3}


def test_rollback_names_the_revert_or_the_checkout(daemon: Daemon, say: Say) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.net")
        command = ["git", "-C", str(daemon.directory), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", "site.yaml")
    git("commit", "-qm", "first")
    ready(say)
    for text in (SECOND, WITHOUT_PABLO):
        daemon.edit(text)
        git("commit", "-qam", "next")
        assert say("apply", daemon.path).status == 0
    found = say("history", "-o", "json").json
    assert [(one["author"], one["dirty"]) for one in found[:2]] == [("Ann", False), ("Ann", False)]
    head = git("rev-parse", "--short=12", "HEAD")
    said = say("rollback", "2")
    assert f"git -C {daemon.directory} revert --no-edit {head}" in said.err
    first = git("rev-list", "--max-parents=0", "HEAD")[:12]
    said = say("rollback", "1")
    checkout = f"git -C {daemon.directory} checkout {first} -- site.yaml"
    assert checkout in said.err
    subprocess.run(checkout, shell=True, check=True, capture_output=True)
    assert daemon.path.read_text() == SITE
    daemon.edit("nonsense: 1\n")
    git("checkout", "-q", "--", "site.yaml")


def test_rollback_past_the_guard_exits_4_and_says_how_to_release_it(daemon: Daemon, say: Say) -> None:
    ready(say)
    apply(daemon, say, SITE + "".join(f"  u{number}: x\n" for number in range(8)))
    said = say("rollback", "1", "-o", "json")
    assert said.status == 4
    name = said.json["plan"]["id"]
    assert f"next: reconciler rollback 1 --allow-guard {name}" in said.err
    assert len(daemon.engine.users) == 10
    assert say("rollback", "1", "--allow-guard", "0123456789ab").status == 5
    assert say("rollback", "1", "--allow-guard", name).status == 0
    assert f"plan_released plan {name}, by " in say("events").out
    assert sorted(daemon.engine.users) == ["pablo", "theo"]


def test_rollback_to_nothing_is_an_error(daemon: Daemon, say: Say) -> None:
    ready(say)
    assert say("rollback", "9").status == 1
    assert say("rollback", "0").status == 64


def test_pause_and_resume(daemon: Daemon, say: Say) -> None:
    ready(say)
    said = say("pause", "--for", "2h", "--reason", "moving house")
    assert said.status == 0
    assert "paused until 20" in said.out
    daemon.edit(SECOND)
    assert say("status", "--wait", "--timeout", "0.3").status == 6
    assert theo(daemon) == password("one")
    status = say("status", "-o", "json").json
    assert (status["pause"]["reason"], status["pause"]["rolled_back_to"]) == ("moving house", None)
    assert "moving house" in say("status").out
    assert say("resume").status == 0
    ready(say)
    assert theo(daemon) == password(SECRET)
    assert say("resume", "-o", "json").json == {"was": None}
    assert say("pause", "--for", "never").status == 64


def test_an_apply_on_trial_is_confirmed(daemon: Daemon, say: Say) -> None:
    ready(say)
    say("pause")
    daemon.edit(SECOND)
    with meanwhile(daemon, lambda client: client.post("/v1/confirm")):
        said = say("apply", daemon.path, "--confirm-within", "2m")
    assert said.status == 0
    assert "next: reconciler confirm" in said.err
    assert "confirmed: generation 2 stays in force" in said.err
    assert say("history", "2", "-o", "json").json["confirmed"] is True


def test_an_apply_on_trial_that_nobody_confirms_exits_6_and_is_undone(daemon: Daemon, say: Say) -> None:
    ready(say)
    say("pause")
    daemon.edit(SECOND)

    def wait_too_long(_client: Client) -> None:
        daemon.clock.now += 121

    with meanwhile(daemon, wait_too_long):
        said = say("apply", daemon.path, "--confirm-within", "2m")
    assert said.status == 6
    assert "not confirmed: generation 2 is undone" in said.err
    assert theo(daemon) == password("one")
    assert say("history", "2", "-o", "json").json["state"] == "undone"
    assert "site.yaml is taken again when it says something else" in say("status").out


def test_who_does_not_wait_confirms_or_undoes_later(daemon: Daemon, say: Say) -> None:
    ready(say)
    say("pause")
    daemon.edit(SECOND)
    said = say("apply", daemon.path, "--confirm-within", "2m", "--no-wait", "-o", "json")
    assert (said.status, said.json["confirm"]["generation"], said.json["confirm"]["undo_to"]) == (0, 2, 1)
    refused = say("apply", daemon.path)
    assert refused.status == 1
    assert "generation 2 waits to be confirmed" in refused.err
    assert say("confirm", "--undo").status == 0
    assert theo(daemon) == password("one")
    assert say("confirm").status == 1
    assert say("apply", daemon.path, "--no-wait").status == 64
    assert say("apply", daemon.path, "--dry-run", "--confirm-within", "2m").status == 64
    assert say("apply", daemon.path, "--confirm-within", "0").status == 64


def test_a_saved_plan_is_applied_exactly_or_not_at_all(daemon: Daemon, say: Say, tmp_path: Path) -> None:
    ready(say)
    say("pause")
    daemon.edit(SECOND)
    plan = tmp_path / "plan.json"
    said = say("apply", daemon.path, "--dry-run", "--out", plan)
    assert said.status == 0
    assert f"next: reconciler apply {plan}" in said.err
    assert SECRET not in plan.read_text()
    daemon.edit(WITHOUT_PABLO)
    said = say("apply", plan)
    assert said.status == 5
    assert "is not what would be done now" in said.err
    daemon.edit(SECOND)
    assert say("apply", plan).status == 0
    assert theo(daemon) == password(SECRET)
    assert say("apply", plan).status == 5, "it is done already: what is in force has moved"
    assert say("apply", daemon.path, "--out", plan).status == 64
    plan.write_text('{"format_version": 99, "saved_for": "x", "plan": {}}')
    assert say("apply", plan).status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("history",),
        ("history", "1"),
        ("diff", "1"),
        ("rollback", "1"),
        ("pause",),
        ("resume",),
        ("confirm",),
    ],
)
def test_without_a_daemon_they_exit_7(say: Say, arguments: tuple[str, ...]) -> None:
    said = say(*arguments)
    assert (said.status, said.out) == (7, "")


@pytest.mark.parametrize(
    ("route", "request_"),
    [
        ("/v1/rollback", {"number": "1"}),
        ("/v1/rollback", {"number": 1, "timeout": "soon"}),
        ("/v1/rollback", {"number": 1, "by": "a\nb"}),
        ("/v1/pause", {"for": -1}),
        ("/v1/pause", {"reason": "x" * 501}),
        ("/v1/apply", {"timeout": "soon"}),
        ("/v1/apply", {"confirm_within": 1e9}),
        ("/v1/apply", {"saved": "plan.json"}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_and_changes_nothing(
    daemon: Daemon, say: Say, route: str, request_: dict[str, Any]
) -> None:
    ready(say)
    apply(daemon, say, SECOND)
    with pytest.raises(AnswerError) as caught:
        Client(daemon.directory).post(route, **request_)
    assert caught.value.code == "bad_request"
    assert theo(daemon) == password(SECRET)
    assert say("status", "-o", "json").json["pause"] is None


def test_no_password_is_in_the_state_directory(daemon: Daemon, say: Say) -> None:
    ready(say)
    apply(daemon, say, SECOND)
    say("rollback", "1")
    daemon.rest()
    for path in (daemon.directory / "state").iterdir():
        assert SECRET.encode() not in path.read_bytes(), path.name


def test_every_command_of_the_page_exists_with_its_options() -> None:
    page = (ROOT / "docs" / "going-back.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\$ (?:.*&& )?reconciler (.*?)(?: *#.*)?$", page, re.MULTILINE)
    assert len(lines) > 10
    for line in lines:
        name, *arguments = shlex.split(line)
        command = root.get_command(click.Context(root), name)
        assert command is not None, name
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in arguments if word.startswith("-")} <= known, line
