"""``reconciler probe`` as far as it goes without a wire: usage, passwords, and what it says."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeAlias

import pytest

from reconciler.linux.interface import Interface
from reconciler.probe.outcome import Ended, Login, Phase, Up
from reconciler.probe.pinger import Report
from tests.cli.conftest import Said

Say: TypeAlias = Callable[..., Said]

UP = Up("10.0.0.8", "10.0.0.1", ("8.8.8.8",), 1492, 7, bytes.fromhex("0200000000aa"), "SERVER", "chap")
TOOK = {Phase.DISCOVERY: 0.003, Phase.LINK: 0.0091, Phase.AUTHENTICATION: 0.004, Phase.NETWORK: 0.005}
REFUSED = Ended(Phase.AUTHENTICATION, "ac", "Login incorrect", True, True)


class Call:
    """In place of a real one: goes as the test says, and remembers what it was given."""

    up: Up | None = UP
    ended: Ended | None = None
    took = TOOK
    answered = 3
    given: tuple[str, Login, float]

    def __init__(self, port: str, login: Login, patience: float) -> None:
        Call.given = port, login, patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def dial(self) -> bool:
        return self.ended is None

    def ping(self, target: str) -> Report:
        lost = 3 - self.answered
        return Report(
            target=target,
            sent=3,
            received=self.answered,
            late=0,
            waiting=0,
            lost=lost,
            losses=[],
            rtt_avg=1.25,
            rtt_max=2.0,
        )


def test_an_interface_that_is_not_there_is_said(say: Say, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("sesame")
    said = say("probe", "--interface", "nosuch0", "--user", "theo", "--password-file", tmp_path / "password")
    assert (said.status, said.err) == (1, "error: cannot dial on nosuch0: there is no such interface\n")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Call]:
    fresh = type("Fresh", (Call,), {})
    monkeypatch.setattr("reconciler.probe.trial.Trial", fresh)
    (tmp_path / "password").write_text("sesame\n")
    return fresh


@pytest.fixture
def probe(say: Say, tmp_path: Path) -> Callable[..., Said]:
    return lambda *options: say(
        "probe", "--interface", "eth7", "--user", "theo", "--password-file", tmp_path / "password", *options
    )


Probe: TypeAlias = Callable[..., Said]


def test_a_call_that_comes_up_is_one_line_with_the_time_of_each_phase(call: type[Call], probe: Probe) -> None:
    said = probe()
    assert (said.status, said.err) == (0, "")
    assert said.out == (
        "theo is in on eth7: 10.0.0.8 peer 10.0.0.1, MTU 1492, DNS 8.8.8.8, by chap from SERVER, in 21 ms"
        " (discovery 3, link 9, authentication 4, network 5)\n"
    )
    assert Call.given == ("eth7", Login("theo", "sesame"), 5.0)


@pytest.mark.parametrize(
    ("ended", "line"),
    [
        (REFUSED, "authentication failed on eth7: Login incorrect (Windows shows 691)"),
        (
            Ended(Phase.DISCOVERY, "silence", "no answer in the discovery phase", False, False),
            "discovery failed on eth7: no answer in the discovery phase (Windows shows 651 or 678 or 815)",
        ),
        (
            Ended(Phase.DISCOVERY, "ac", "Service-Name-Error: no such service", False, False),
            "discovery failed on eth7: Service-Name-Error: no such service (Windows shows 651 or 678 or 815)",
        ),
    ],
)
def test_a_call_that_fails_is_one_line_with_phase_and_reason(
    call: type[Call], probe: Probe, ended: Ended, line: str
) -> None:
    call.up, call.ended = None, ended
    said = probe()
    assert (said.status, said.out) == (1, f"theo is not in: {line}\n")


def test_pings_count(call: type[Call], probe: Probe) -> None:
    said = probe("--ping", "8.8.8.8")
    assert said.status == 0
    assert said.out.endswith("; 3 of 3 pings to 8.8.8.8 answered, 1.2 ms\n")
    call.answered = 0
    said = probe("--ping", "8.8.8.8")
    assert said.status == 1
    assert said.out.endswith("; 0 of 3 pings to 8.8.8.8 answered\n")


def test_a_call_that_is_ended_while_pinging_has_failed(call: type[Call], probe: Probe) -> None:
    call.ended = Ended(Phase.OPEN, "ac", "PADT", False, True)
    said = probe()
    assert said.status == 1
    assert said.out.endswith("; but then: PADT\n")


def test_json_has_all_of_it(call: type[Call], probe: Probe) -> None:
    told = probe("-o", "json", "--ping", "8.8.8.8").json
    assert told == {
        "ok": True,
        "user": "theo",
        "interface": "eth7",
        "phase": "open",
        "reason": None,
        "windows": [],
        "took_s": {"discovery": 0.003, "link": 0.0091, "authentication": 0.004, "network": 0.005},
        "ac_name": "SERVER",
        "ac_mac": "02:00:00:00:00:aa",
        "id": 7,
        "address": "10.0.0.8",
        "peer": "10.0.0.1",
        "dns": ["8.8.8.8"],
        "mtu": 1492,
        "method": "chap",
        "ping": {
            "target": "8.8.8.8",
            "sent": 3,
            "received": 3,
            "late": 0,
            "waiting": 0,
            "lost": 0,
            "rtt_avg": 1.25,
            "rtt_max": 2.0,
        },
    }
    call.up, call.ended, call.took = None, REFUSED, {Phase.DISCOVERY: 0.003, Phase.LINK: 0.009}
    told = probe("-o", "json").json
    assert (told["ok"], told["phase"], told["reason"]) == (False, "authentication", "Login incorrect")
    assert (told["windows"], told["address"], list(told["took_s"])) == ([691], None, ["discovery", "link"])


def test_what_is_asked_for_is_passed_on(call: type[Call], probe: Probe) -> None:
    probe("--auth", "pap", "--service", "fast", "--timeout", "0.5")
    assert Call.given == ("eth7", Login("theo", "sesame", ("pap",), "fast"), 0.5)


@pytest.mark.parametrize("options", [(), ("--password-file", "-")])
def test_a_password_can_come_by_standard_input(
    call: type[Call], say: Say, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("sésame\r\n".encode())))
    assert say("probe", "--interface", "eth7", "--user", "theo", *options).status == 0
    assert Call.given[1].password == "sésame"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the password is empty"),
        (b"two\nlines\n", "more than one line"),
        (b"x" * 256, "longer than 255 octets"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_password_that_is_none_is_one_line_that_does_not_show_it(
    call: type[Call], probe: Probe, tmp_path: Path, content: bytes, why: str
) -> None:
    (tmp_path / "password").write_bytes(content)
    said = probe()
    assert (said.status, said.out) == (1, "")
    assert why in said.err
    assert "lines" not in said.err.replace("more than one line", "")


def test_a_password_file_that_is_not_there_is_one_line(call: type[Call], say: Say, tmp_path: Path) -> None:
    said = say("probe", "--interface", "eth7", "--user", "theo", "--password-file", tmp_path / "none")
    assert (said.status, said.out) == (1, "")
    assert said.err.endswith("none: No such file or directory\n")


def test_no_password_reaches_any_output(call: type[Call], probe: Probe) -> None:
    call.up, call.ended = None, REFUSED
    for options in ((), ("-o", "json"), ("-v",)):
        said = probe(*options)
        assert "sesame" not in said.out + said.err


def found(*up: str) -> Callable[[str], Interface]:
    return lambda name: Interface(name, 1, bytes(6), 1500, name in up, name != "lo")


def test_the_only_interface_need_not_be_named(
    call: type[Call], say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: tuple[Any, ...] = ("probe", "--user", "theo", "--password-file", tmp_path / "password")
    monkeypatch.setattr("socket.if_nameindex", lambda: [(1, "lo"), (2, "eth0"), (3, "eth1")])
    monkeypatch.setattr("reconciler.linux.interface.read", found("lo", "eth1"))
    assert say(*options).status == 0
    assert Call.given[0] == "eth1"
    monkeypatch.setattr("reconciler.linux.interface.read", found("eth0", "eth1"))
    said = say(*options)
    assert said.status == 1
    assert "which --interface? There are eth0, eth1" in said.err


@pytest.mark.parametrize(
    "options", [("--auth", "eap"), ("--timeout", "0"), ("--ping", "example"), ("--password", "x"), ("extra",)]
)
def test_wrong_usage_exits_64(call: type[Call], probe: Probe, options: tuple[str, ...]) -> None:
    assert probe(*options).status == 64
