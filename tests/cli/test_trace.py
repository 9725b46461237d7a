"""``reconciler trace`` without a wire: what it listens on, what it shows and in which form."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from scapy.utils import rdpcap

from reconciler.linux.capture import Captured
from reconciler.probe.codec import BROADCAST, Code, Configure, Control, Discovery, Protocol, write
from tests.cli.conftest import Daemon, Said

Say: TypeAlias = Callable[..., Said]

AC, THEO, PABLO = (bytes.fromhex(f"02000000{end}") for end in ("ff01", "0001", "0002"))
AT = 1_760_000_000_123_456_789
PASSWORD = b"open-sesame"


def frames() -> list[bytes]:
    """Theo dials and logs in by PAP; Pablo asks who is there."""
    return [
        write(Discovery(BROADCAST, PABLO, Code.PADI)),
        write(Discovery(BROADCAST, THEO, Code.PADI)),
        write(Control(AC, THEO, 7, Protocol.LCP, Configure.REQUEST, 1)),
        write(Control(AC, THEO, 7, Protocol.PAP, 1, 1, b"\x04theo\x0b" + PASSWORD)),
        AC + THEO + b"\x88\x64\x11\x00\x00\x07\x00\x16\x00\x21" + bytes(20),
    ]


class Tape:
    """In place of an interface: plays the frames once, then somebody presses Ctrl-C."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self._reads, self._writes = socket.socketpair()
        self._writes.send(b"x")
        self._played = False

    def fileno(self) -> int:
        return self._reads.fileno()

    def frames(self) -> Iterator[Captured]:
        if self._played:
            raise KeyboardInterrupt
        self._played = True
        for number, frame in enumerate(frames()):
            yield Captured(self.interface, AT + number, frame, b"\x81\x00\x20\x05" if number == 1 else b"")

    def close(self) -> None:
        self._reads.close()
        self._writes.close()


@pytest.fixture(autouse=True)
def tape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.cli.trace._capture", Tape)
    monkeypatch.setattr("signal.signal", lambda *_: None)


def told(said: Said) -> list[Any]:
    return [json.loads(line) for line in said.out.splitlines()]


def test_a_named_interface_needs_no_daemon_and_ends_with_a_count(say: Say) -> None:
    said = say("trace", "eth7")
    assert said.status == 0
    assert len(said.out.splitlines()) == 4
    assert said.err.splitlines() == [
        "listening on eth7; Ctrl-C ends it",
        "frames shown: 4, data packets beside them: 1",
    ]
    assert "PADI" in said.out
    assert "vlan 5  02:00:00:00:00:01 > all" in said.out


def test_no_password_is_shown_in_any_form(say: Say) -> None:
    for form in ("text", "ndjson"):
        said = say("trace", "eth7", "-o", form)
        assert 'user "theo" password hidden' in said.out.replace("\\", "")
        assert PASSWORD.decode() not in said.out + said.err


def test_ndjson_is_an_object_a_frame(say: Say) -> None:
    padi, lcp = told(say("trace", "eth7", "-o", "ndjson"))[1:3]
    assert padi == {
        "time": "2025-10-09T08:53:20.123Z",
        "interface": "eth7",
        "vlan": 5,
        "source": "02:00:00:00:00:01",
        "destination": "ff:ff:ff:ff:ff:ff",
        "session": None,
        "text": "PADI",
    }
    assert (lcp["vlan"], lcp["session"], lcp["text"]) == (None, 7, "0x0007 LCP Configure-Request id 1")


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (("--user", "theo"), 3),
        (("--user", "pablo"), 0),
        (("--mac", "02-00-00-00-00-02"), 1),
        (("--mac", "0200.0000.0002", "--user", "theo"), 4),
        (("--session", "0x7"), 2),
        (("-c", "2"), 2),
    ],
)
def test_what_is_shown_can_be_chosen(say: Say, options: tuple[str, ...], shown: int) -> None:
    assert len(told(say("trace", "eth7", "-o", "ndjson", *options))) == shown


def test_frames_are_written_as_they_are_for_the_owner_alone(say: Say, tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    said = say("trace", "eth7", "--write", path)
    assert said.err.splitlines()[-1] == f"frames shown: 4, data packets beside them: 1; 5 written to {path}"
    assert path.stat().st_mode & 0o777 == 0o600
    tagged = frames()
    tagged[1] = tagged[1][:12] + b"\x81\x00\x20\x05" + tagged[1][12:]
    assert [bytes(packet) for packet in rdpcap(str(path))] == tagged


def test_what_cannot_be_written_is_one_line(say: Say, tmp_path: Path) -> None:
    said = say("trace", "eth7", "--write", tmp_path / "none" / "x.pcap")
    assert (said.status, said.out) == (1, "")
    assert "No such file or directory" in said.err


def test_without_a_name_it_listens_where_the_daemon_serves_and_knows_everybody(
    daemon: Daemon, say: Say
) -> None:
    assert say("status", "--wait").status == 0
    daemon.engine.dial("theo", mac=THEO.hex(":"))
    said = say("trace")
    assert "listening on eth1;" in said.err
    assert "theo > all" in said.out
    assert "02:00:00:00:00:02 > all" in said.out


def test_a_user_who_is_online_is_known_by_its_station_from_the_start(daemon: Daemon, say: Say) -> None:
    assert say("status", "--wait").status == 0
    daemon.engine.dial("pablo", mac=PABLO.hex(":"))
    assert len(say("trace", "--user", "pablo").out.splitlines()) == 1


def test_nothing_to_listen_on_is_said(daemon: Daemon, say: Say) -> None:
    assert say("status", "--wait").status == 0
    daemon.engine.interfaces.clear()
    said = say("trace")
    assert (said.status, said.out) == (1, "")
    assert "no interface is served" in said.err


def test_without_a_daemon_the_interface_has_to_be_named(say: Say) -> None:
    said = say("trace")
    assert (said.status, said.out) == (7, "")
    assert "or name the INTERFACE" in said.err


@pytest.mark.parametrize("options", [("--mac", "theo"), ("--session", "x"), ("-c", "0"), ("-o", "json")])
def test_wrong_usage_exits_64(say: Say, options: tuple[str, ...]) -> None:
    assert say("trace", "eth7", *options).status == 64
