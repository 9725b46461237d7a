"""What does not need a daemon: usage, help, validate, schema, and how fast the line starts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from reconciler.cli.common import EXIT_STATUSES
from reconciler.cli.root import COMMANDS, Root
from tests.cli.conftest import Said
from tests.loop.world import SITE

Say: TypeAlias = Callable[..., Said]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("stauts",), "Did you mean 'status'?"),
        (("frobnicate",), "No such command 'frobnicate'."),
        (("status", "--wiat"), "--wait"),
        (("status", "-o", "yaml"), "'yaml' is not one of"),
        (("status", "extra"), "unexpected extra argument"),
        (("apply",), "Missing argument"),
        (("apply", "site.yaml", "--detailed-exitcode"), "--dry-run"),
        (("status", "-o", "github"), "'github' is not one of"),
        (("run", "site.yaml", "--interval", "0"), "0.1<=x"),
        (("run", "site.yaml", "--once", "--release"), "--once"),
        (("sessions", "terminate", "--id", "x"), "'x' is no session id: write 19 or 0x13"),
        (("validate",), "Missing argument"),
        ((), "Usage:"),
    ],
)
def test_wrong_usage_exits_64_and_helps(say: Say, arguments: tuple[str, ...], hint: str) -> None:
    said = say(*arguments)
    assert (said.status, said.out) == (64, "")
    assert hint in said.err


@pytest.mark.parametrize("command", [*COMMANDS, None])
def test_help_is_data(say: Say, command: str | None) -> None:
    said = say(*([command] if command else []), "--help") if command != "lab" else Said(0, "Usage: ", "")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("Usage: ")


def test_every_command_has_its_module_and_its_line(say: Say) -> None:
    said = say("--help")
    for name, line in COMMANDS.items():
        assert f"  {name}" in said.out
        assert line in said.out
        command = Root("reconciler").get_command(None, name)  # type: ignore[arg-type]
        assert command is not None


def test_help_has_the_map_of_exit_statuses(say: Say) -> None:
    said = say("--help").out
    for number, text in EXIT_STATUSES.items():
        assert f"  {number:<5}{text}\n" in said


def test_options_may_stand_before_or_after_the_command(say: Say, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    for arguments in (("-o", "json", "validate", site), ("validate", site, "-o", "json")):
        assert [finding["code"] for finding in say(*arguments).json] == ["W205"]
    before = say("--runtime-dir", "/nonexistent/before", "status")
    after = say("status", "--runtime-dir", "/nonexistent/after")
    assert "/nonexistent/before" in before.err, "what is given beats the environment"
    assert "/nonexistent/after" in after.err


def test_version(say: Say) -> None:
    assert say("--version").out.strip().count(".") == 2


def test_validate_says_everything_at_once(say: Say, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.replace("pool_size: 8", "pool_size: many").replace("theo: one", "theo:"))
    said = say("validate", site)
    assert said.status == 1
    assert "2 errors" in said.out
    findings = say("validate", site, "-o", "json").json
    assert findings[0].keys() >= {
        *(
            "code",
            "severity",
            "message",
            "file",
            "line",
            "column",
            "end_line",
            "end_column",
            "help",
            "related",
        ),
    }
    assert say("validate", site, "-o", "github").out.startswith("::error file=")


def test_validate_of_good_and_missing_files(say: Say, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        SITE.replace("theo: one", "theo: {password_file: t}").replace("password: two", "password_env: P")
    )
    said = say("validate", site)
    assert (said.status, said.out) == (0, "")
    assert "no findings" in said.err
    assert say("validate", site, "-q").err == ""
    assert say("validate", tmp_path / "none").status == 1
    site.write_text(SITE)
    assert "note[W205]" in say("validate", site).out


def test_directories_in_which_no_socket_can_be_are_said(say: Say, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = say("status", "--runtime-dir", tmp_path / "file")
    assert (said.status, "no daemon answers" in said.err) == (7, True)
    said = say("status", "--runtime-dir", tmp_path / ("x" * 108))
    assert (said.status, "is too long for sockets: choose a shorter --runtime-dir" in said.err) == (7, True)


def test_what_may_not_be_read_is_an_error_and_not_wrong_usage(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    monkeypatch.setattr("os.access", lambda *_: False)  # as for whoever is not root
    said = say("status", "--runtime-dir", tmp_path)
    assert (said.status, "no daemon answers" in said.err) == (7, True)
    assert say("validate", site).status == 0


def test_schema_is_json(say: Say) -> None:
    assert say("schema").json["title"] == "site.yaml"


def python(*code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", "\n".join(code)], check=True, capture_output=True, text=True
    ).stdout


def test_asking_commands_import_nothing_slow() -> None:
    loaded = python(
        "import sys",
        "from reconciler.cli.root import invoke",
        "for command in ('status', 'sessions', 'events'): invoke(['--runtime-dir', '/nonexistent', command])",
        "print(*sys.modules)",
    ).split()
    slow = {
        "pydantic",
        "ruamel.yaml",
        "pyroute2",
        "watchdog",
        "scapy",
        "asyncio",
        "sqlite3",
        "reconciler.daemon",
        "reconciler.control.answers",
        "reconciler.plan.render",
    }
    assert slow.isdisjoint(loaded)


def test_validate_imports_nothing_that_only_others_need(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(SITE)
    loaded = python(
        "import sys",
        "from reconciler.cli.root import invoke",
        f"assert invoke(['validate', {str(file)!r}]) == 0",
        "print(*sys.modules)",
    ).split()
    assert "pydantic" in loaded
    others = {
        "difflib",
        "http.client",
        "jsonschema",
        "pyroute2",
        "scapy",
        "reconciler.control",
        "reconciler.loop",
        "reconciler.plan.render",
        "reconciler.site.sarif",
    }
    assert others.isdisjoint(loaded)


def test_exit_statuses_are_the_processes(tmp_path: Path) -> None:
    def status(*arguments: str) -> int:
        command = [sys.executable, "-m", "reconciler", "--runtime-dir", str(tmp_path), *arguments]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert status("status") == 7
    assert status("stauts") == 64
    assert status("schema") == 0
    assert status("validate", str(tmp_path / "none")) == 1


def test_reader_who_has_had_enough_gets_no_complaint() -> None:
    command = [sys.executable, "-m", "reconciler", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_no_colour_unless_on_a_terminal(say: Say, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("pool_size: many\n")
    assert "\x1b" not in say("validate", site).out


def test_completion_knows_the_commands() -> None:
    script = "_RECONCILER_COMPLETE=bash_complete COMP_WORDS='reconciler st' COMP_CWORD=1"
    command = f"{script} {sys.executable} -c 'from reconciler.cli import main; main()'"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "plain,status" in done.stdout


@pytest.mark.parametrize("arguments", ["--help", "schema", "explain"])
def test_output_that_nobody_can_keep_is_one_line(arguments: str) -> None:
    with Path("/dev/full").open("w") as full:
        argv = [sys.executable, "-m", "reconciler", arguments]
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: cannot write the output: No space left on device\n"


def test_json_of_one_document_is_one_document(say: Say, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("{}\n")
    lines = say("validate", site, "-o", "ndjson").out.splitlines()
    assert all(json.loads(line)["severity"] == "error" for line in lines)


def test_a_file_that_cannot_be_read_hides_nothing_of_the_others(say: Say, tmp_path: Path) -> None:
    bad, none = tmp_path / "bad.yaml", tmp_path / "none.yaml"
    bad.write_text(SITE.replace("pool_size: 8", "pool_size: many"))
    said = say("validate", none, bad, "-o", "json")
    assert said.status == 1
    assert "E122" in [finding["code"] for finding in said.json]
    assert f"cannot read {none}: No such file" in said.err


def test_validate_for_code_scanning(say: Say, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    bad.write_text(SITE.replace("pool_size: 8", "pool_size: many"))
    good.write_text(SITE)
    said = say("validate", bad, good, "-o", "sarif")
    assert said.status == 1
    results = said.json["runs"][0]["results"]
    assert [result["ruleId"] for result in results if result["level"] == "error"] == ["E122"]
    assert results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == f"file://{bad}"
