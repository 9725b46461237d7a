"""What the sandbox says on a terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.lab import __main__ as command
from reconciler.lab import show


def test_keepalives_are_left_out_of_the_exchange() -> None:
    shown: list[str] = []
    live = show.Show(shown.append)
    for line in (
        "theo > AC 0x0001 LCP Echo-Request id 1",
        "AC > theo 0x0001 LCP Echo-Reply id 1",
        "theo > all PADI",
    ):
        live.frame(line)
    assert shown == ["theo > all PADI\n"]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            {"event": "up", "address": "10.0.0.2", "peer": "10.0.0.1", "dns": ["8.8.8.8", "8.8.4.4"]},
            "is up: 10.0.0.2 peer 10.0.0.1, DNS 8.8.8.8 8.8.4.4",
        ),
        ({"event": "down", "reason": "PADT"}, "is down: PADT"),
        (
            {"event": "failed", "phase": "authentication", "reason": "Login incorrect"},
            "did not get in (authentication): Login incorrect",
        ),
    ],
)
def test_a_subscribers_fate_is_one_line(event: dict[str, object], told: str) -> None:
    assert show.describe(event) == told


def test_the_log_is_told_from_where_it_was_left(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text('{"message": "generation 1 is in force"}\nTraceback:\n')
    lines = show.new_lines(log)
    assert next(lines) == ["generation 1 is in force", "Traceback:"]
    assert next(lines) == []
    with log.open("a") as more:
        more.write('{"message": "drift"}\n')
    assert next(lines) == ["drift"]


@pytest.mark.parametrize("arguments", [["--subscribers", "2"], ["--subscribers", "many"], ["--wat"]])
def test_wrong_usage_is_exit_status_64(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command.main(arguments)
    assert left.value.code == 64
    assert capsys.readouterr().err


def test_without_root_it_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert command.main([]) == 1
    assert capsys.readouterr().err == "lab: needs root (it makes network namespaces): try again with sudo\n"
