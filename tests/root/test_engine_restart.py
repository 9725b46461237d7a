"""An engine that dies, or is replaced: subscribers notice nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.vault import Vault
from reconciler.linux import keyring, links
from tests.peer import Subscriber
from tests.root.engine import Engine, entry
from tests.root.wire import Cable

pytestmark = pytest.mark.root

THEO = bytes.fromhex("02c100000001")
IDENTITY = ("user", "id", "mac", "address", "peer", "interface", "generation", "stale", "state")


class Engines:
    """One engine after another in one directory."""

    def __init__(self, directory: Path, datapath: str) -> None:
        self._directory = directory
        self._datapath = datapath
        self.now = Engine(directory, datapath)

    def succeed(self, how: signal.Signals = signal.SIGKILL) -> Engine:
        """End the engine by a signal, and start another."""
        self.now.die(how)
        self.now = Engine(self._directory, self._datapath)
        return self.now

    def end(self) -> None:
        self.now.end()


@pytest.fixture
def engines(cable: Cable, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engines]:
    made = Engines(tmp_path, getattr(request, "param", "null"))
    yield made
    made.end()


def identities(engine: Engine) -> list[dict[str, Any]]:
    return [{key: view[key] for key in IDENTITY} for view in engine.sessions()]


@pytest.mark.parametrize("engines", ["null", "tun", "ebpf"], indirect=True)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_sessions_go_on_as_they_were(engines: Engines, cable: Cable, how: signal.Signals) -> None:
    engines.now.serve("theo", "pablo")
    theo = cable.dial(Subscriber(THEO))
    pablo = cable.dial(Subscriber(b"\x02\xc1\0\0\0\2", b"pablo"))
    before, since = identities(engines.now), [view["since"] for view in engines.now.sessions()]
    heir = engines.succeed(how)
    assert identities(heir) == before
    assert [view["since"] for view in heir.sessions()] == since, "to the microsecond"
    cable.until(lambda: echoes(theo) and echoes(pablo))
    assert (theo.state, pablo.state) == ("up", "up")


def echoes(subscriber: Subscriber) -> bool:
    """Whether it has been asked whether it is there."""
    return subscriber.ppp.echoes > 0


def test_settings_users_and_interfaces_are_served_without_being_told_again(
    engines: Engines, cable: Cable
) -> None:
    engines.now.serve("theo")
    engines.now.ask("listen", generation=2, interface="eth0")
    before = engines.now.observe()
    after = engines.succeed().observe()
    assert {key: after[key] for key in ("generation", "settings", "users")} == {
        key: before[key] for key in ("generation", "settings", "users")
    }
    assert list(after["listeners"]) == ["eth0"]
    assert cable.dial(Subscriber(THEO)).state == "up"


def test_a_user_revoked_after_the_restart_is_ended(engines: Engines, cable: Cable) -> None:
    engines.now.serve("theo")
    theo = cable.dial(Subscriber(THEO))
    engines.succeed().ask("users", generation=2, put=[], remove=[{"name": "theo", "sessions": "terminate"}])
    cable.until(lambda: theo.state == "closed")


def test_a_session_that_ended_is_not_remembered(engines: Engines, cable: Cable) -> None:
    engines.now.serve("theo")
    theo = cable.dial(Subscriber(THEO))
    cable.say(theo.hangup(0.0, polite=False))
    engines.now.ask("hello")
    assert engines.succeed().sessions() == []


def test_a_subscriber_who_left_meanwhile_is_noticed(engines: Engines, cable: Cable) -> None:
    engines.now.ask("configure", generation=1, settings={"echo_interval": 1, "echo_failures": 1})
    engines.now.serve("theo")
    theo = cable.dial(Subscriber(THEO))
    theo.alive = False
    heir = engines.succeed()
    cable.until(lambda: heir.sessions()[0]["state"] != "opened")
    theo.alive = True  # or the goodbye would be said again and again
    cable.until(lambda: heir.ask("counts")["ok"]["closed"] == {"echo_timeout": 1})


def test_an_interface_that_was_replaced_meanwhile_ends_its_sessions(
    engines: Engines, cable: Cable, neighbour: str
) -> None:
    engines.now.serve("theo")
    cable.dial(Subscriber(THEO))
    engines.now.die(signal.SIGKILL)
    links.delete("eth0")
    links.create_veth("eth0", "eth0", neighbour)
    links.bring("eth0", up=True)
    engines.now = Engine(engines._directory, engines._datapath)
    seen = engines.now.observe()
    assert (seen["sessions"], seen["listeners"]) == ([], {})


def test_a_damaged_journal_costs_the_sessions_and_nothing_else(
    engines: Engines, cable: Cable, tmp_path: Path
) -> None:
    engines.now.serve("theo")
    theo = cable.dial(Subscriber(THEO))
    engines.now.die(signal.SIGKILL)
    for path in tmp_path.glob("journal.sqlite*"):
        path.write_bytes(b"damaged" * 1000)
    engines.now = Engine(tmp_path, "null")
    assert engines.now.sessions() == []
    engines.now.serve("theo")
    cable.say([lcp_echo(theo)])
    cable.until(lambda: theo.state == "closed")
    assert cable.dial(theo).state == "up", "told to dial again, it does"


def lcp_echo(subscriber: Subscriber) -> bytes:
    body = b"\xc0\x21\x09\x01\0\x08" + bytes(4)
    header = b"\x88\x64\x11\0" + subscriber.session_id.to_bytes(2, "big") + len(body).to_bytes(2, "big")
    return subscriber.ac_mac + subscriber.mac + header + body


def test_a_changed_password_is_remembered_with_its_session(engines: Engines, cable: Cable) -> None:
    engines.now.serve("theo")
    cable.dial(Subscriber(THEO))
    engines.now.ask("users", generation=2, put=[entry("theo", "new")], remove=[])
    heir = engines.succeed()
    assert [view["stale"] for view in heir.sessions()] == [True]


def test_D23_a_cookie_of_the_engine_before_is_still_good(engines: Engines, cable: Cable) -> None:
    engines.now.serve("theo")
    theo = Subscriber(THEO)
    cable.say(theo.dial(time.monotonic()))
    cable.until(lambda: bool(cable.heard))
    engines.succeed()
    cable.subscribers.append(theo)
    cable.say(theo.receive(cable.heard[0], time.monotonic()))
    cable.until(lambda: theo.state == "up")


def kept(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.iterdir() if path.is_file())


def test_no_password_is_in_what_is_kept_for_the_next_engine(
    engines: Engines, cable: Cable, tmp_path: Path
) -> None:
    password = "a-password-in-the-journal"
    engines.now.serve("theo")
    engines.now.ask("users", generation=2, put=[entry("theo", password, fingerprint="1")], remove=[])
    assert cable.dial(Subscriber(THEO, password=password.encode())).state == "up"
    assert b"theo" in kept(tmp_path)
    assert password.encode() not in kept(tmp_path)
    engines.succeed()
    assert cable.dial(Subscriber(b"\x02\xc1\0\0\0\2", b"theo", password.encode())).state == "up"
    assert password.encode() not in kept(tmp_path)


def test_without_the_key_sessions_go_on_and_nobody_is_refused_before_the_users_are_told(
    engines: Engines, cable: Cable, tmp_path: Path
) -> None:
    engines.now.serve("theo", "pablo")
    theo = cable.dial(Subscriber(THEO))
    before = identities(engines.now)
    engines.now.die(signal.SIGKILL)
    Vault(tmp_path, os.urandom).forget()
    heir = engines.now = Engine(tmp_path, "null")
    assert (len(heir.sessions()), heir.observe()["users"]) == (1, {})
    cable.until(lambda: echoes(theo))
    pablo = Subscriber(b"\x02\xc1\0\0\0\2", b"pablo")
    cable.subscribers.append(pablo)
    cable.say(pablo.dial(time.monotonic()))
    cable.until(lambda: heir.observe()["drops"].get("no_users", 0) > 0)
    assert pablo.state not in ("failed", "closed")
    heir.ask("users", generation=1, put=[entry("theo"), entry("pablo")], remove=[])
    assert cable.dial(Subscriber(b"\x02\xc1\0\0\0\3", b"pablo")).state == "up"
    assert theo.state == "up"
    assert before[0] in identities(heir), "as it was, and not stale either"


def test_a_shutdown_leaves_neither_journal_nor_key(engines: Engines, cable: Cable, tmp_path: Path) -> None:
    engines.now.serve("theo")
    place = tmp_path.stat()
    name = f"reconciler:{place.st_dev:x}:{place.st_ino:x}"
    assert keyring.recall(name) is not None
    engines.now.end()
    assert keyring.recall(name) is None
    assert not list(tmp_path.glob("journal*"))


def test_where_the_kernel_keeps_no_keys_no_password_is_kept_and_sessions_still_go_on(
    engines: Engines, cable: Cable, tmp_path: Path
) -> None:
    engines.now.end()
    through = (sys.executable, "-m", "tests.root.without", "keys")
    engines.now = Engine(tmp_path, "null", *through)
    engines.now.serve("theo")
    assert cable.dial(Subscriber(THEO)).state == "up"
    before = [view["id"] for view in engines.now.sessions()]
    engines.now.die(signal.SIGKILL)
    engines.now = heir = Engine(tmp_path, "null", *through)
    assert ([view["id"] for view in heir.sessions()], heir.observe()["users"]) == (before, {})
    heir.ask("users", generation=1, put=[entry("theo")], remove=[])
    assert cable.dial(Subscriber(b"\x02\xc1\0\0\0\2", b"theo")).state == "up"


@pytest.mark.parametrize("datapath", ["ebpf", "tun"])
def test_whoever_removes_the_program_removes_what_a_dead_engine_has_left(
    neighbour: str, tmp_path: Path, datapath: str
) -> None:
    Engine(tmp_path, datapath).die(signal.SIGKILL)
    assert any(name.startswith("pppoe") for _, name in socket.if_nameindex())
    argv = [sys.executable, "-m", "reconciler.engine", "--runtime-dir", str(tmp_path), "--shutdown"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, "there is none to shut down" in done.stderr) == (1, True)
    assert {name for _, name in socket.if_nameindex()} == {"lo", "eth0"}
