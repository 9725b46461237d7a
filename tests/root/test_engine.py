"""The engine as a process: its start, its socket, and subscribers on a real cable."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.engine.messages import PROTOCOL
from reconciler.linux import links
from reconciler.linux.packet import RECEIVE_BUFFER
from tests.patience import PATIENCE
from tests.peer import Subscriber
from tests.root.engine import Engine, entry
from tests.root.wire import Cable

pytestmark = pytest.mark.root

THEO = bytes.fromhex("02c100000001")
MOST = 1490
"""Octets of a PPP packet, its protocol included: few of them fill a queue."""


def test_it_says_who_it_is(engine: Engine) -> None:
    hello = engine.ask("hello")["ok"]
    assert (hello["protocol"], hello["pid"]) == (PROTOCOL, engine.process.pid)
    assert (hello["datapath"], hello["device"]) == ("null", None)


@pytest.mark.parametrize("engine", ["null", "tun"], indirect=True)
def test_a_subscriber_dials_in_is_seen_and_is_revoked(engine: Engine, cable: Cable) -> None:
    engine.serve("theo", "pablo")
    theo = cable.dial(Subscriber(THEO))
    pablo = cable.dial(Subscriber(b"\x02\xc1\0\0\0\2", b"pablo"))
    assert (theo.state, pablo.state) == ("up", "up")
    views = engine.sessions()
    assert [(v["user"], v["address"], v["peer"], v["state"]) for v in views] == [
        ("theo", "10.214.2.101", "10.214.2.100", "opened"),
        ("pablo", "10.214.2.102", "10.214.2.100", "opened"),
    ]
    gone = [{"name": "pablo", "sessions": "terminate"}]
    ended = engine.ask("users", generation=2, put=[], remove=gone)["ok"]["ended"]
    assert [key["id"] for key in ended] == [pablo.session_id]
    cable.until(lambda: pablo.state == "closed")
    assert [v["user"] for v in engine.sessions()] == ["theo"]
    assert theo.state == "up"


def test_whoever_follows_hears_of_logins_and_goodbyes(engine: Engine, cable: Cable) -> None:
    engine.serve("theo")
    engine.ask("follow")
    theo = cable.dial(Subscriber(THEO))
    cable.dial(Subscriber(b"\x02\xc1\0\0\0\2", b"theo", b"guess"))
    cable.say(theo.hangup(0.0, polite=False))
    heard = [engine.receive()["event"] for _ in range(3)]
    assert [(event["type"], event["user"], event["reason"]) for event in heard] == [
        ("session_opened", "theo", "logged_in"),
        ("login_refused", "theo", "wrong_password"),
        ("session_closed", "theo", "padt_received"),
    ]
    assert "guess" not in json.dumps(heard)


@pytest.mark.parametrize("engine", ["null", "tun"], indirect=True)
def test_what_happened_is_counted_and_nobody_is_named(engine: Engine, cable: Cable) -> None:
    engine.serve("theo", "pablo")
    engine.ask("configure", generation=1, settings={"auth": ["pap"]})
    theo = cable.dial(Subscriber(THEO))
    cable.dial(Subscriber(b"\x02\xc1\0\0\0\2", b"pablo"))
    cable.dial(Subscriber(b"\x02\xc1\0\0\0\3", b"theo", b"guess"))
    cable.say(theo.hangup(0.0, polite=False))
    counts = engine.ask("counts")["ok"]
    assert counts["sessions"]["opened"] == 1
    assert {(one["method"], one["result"], one["reason"]): one["count"] for one in counts["logins"]} == {
        ("pap", "accepted", ""): 2,
        ("pap", "refused", "wrong_password"): 1,
    }
    assert counts["closed"] == {"padt_received": 1}
    assert (sum(counts["setup"]["counts"]), counts["setup"]["sum"] > 0) == (2, True)
    assert len(counts["setup"]["counts"]) == len(counts["setup"]["bounds"]) + 1
    port = counts["interfaces"]["eth0"]
    assert (port["up"], port["sessions"], port["rx_bytes"]) == (True, 1, 0)
    assert not [word for word in ("theo", "pablo", "02:c1", "10.214") if word in json.dumps(counts)]


def test_a_password_checked_against_a_hash_lets_its_user_in_and_another_does_not(
    engine: Engine, cable: Cable
) -> None:
    engine.serve()
    made = hashlib.scrypt(b"test", salt=b"salt", n=1 << 14, r=8, p=1, dklen=32)
    secret = {"kind": "scrypt", "n": 1 << 14, "r": 8, "p": 1, "salt": b"salt".hex(), "key": made.hex()}
    engine.ask("users", generation=2, put=[entry("theo", secret=secret)], remove=[])
    engine.ask("configure", generation=2, settings={"auth": ["pap"]})
    theo = cable.dial(Subscriber(THEO))
    assert theo.state == "up"
    assert cable.dial(Subscriber(b"\x02\xc1\0\0\0\2", b"theo", b"guess")).failure == "authentication"
    assert [view["user"] for view in engine.sessions() if view["state"] == "opened"] == ["theo"]


def test_bad_requests_are_answered_and_change_nothing(engine: Engine) -> None:
    engine.serve("theo")
    before = engine.observe()
    for request, code in [
        ({"id": 1, "do": "dance"}, "unknown_request"),
        ({"id": 1, "do": "configure", "generation": 2, "settings": {"mtu": 9000}}, "bad_request"),
        ({"id": 1, "do": "configure", "generation": 2, "settings": {"color": "red"}}, "bad_request"),
        (
            {"id": 1, "do": "users", "generation": 2, "put": [entry("a"), {"name": "b"}], "remove": []},
            "bad_request",
        ),
        (
            {"id": 1, "do": "users", "generation": 2, "put": [entry("a", address="nowhere")], "remove": []},
            "bad_request",
        ),
        *(
            (
                {"id": 1, "do": "users", "generation": 2, "put": [entry("a", secret=secret)], "remove": []},
                code,
            )
            for secret, code in [
                ({"kind": "password", "text": ""}, "bad_request"),
                ({"kind": "nt_hash", "hash": "00"}, "bad_request"),
                ({"kind": "nt_hash", "hash": "x" * 32}, "bad_request"),
                ({"kind": "scrypt", "n": 3, "r": 8, "p": 1, "salt": "", "key": "00" * 32}, "bad_request"),
                (
                    {"kind": "scrypt", "n": 1 << 30, "r": 8, "p": 1, "salt": "", "key": "00" * 32},
                    "bad_request",
                ),
            ]
        ),
        ({"id": 1, "do": "listen", "generation": 2, "interface": "eth9"}, "no_interface"),
        ([1, 2], "bad_request"),
    ]:
        engine.send(request)
        assert engine.receive()["error"]["code"] == code, request
    assert engine.observe() | {"time": 0.0} == before | {"time": 0.0}


def test_who_knows_a_moment_is_told_what_has_changed_since(engine: Engine, cable: Cable) -> None:
    engine.serve("theo", "pablo", *(f"user{n}" for n in range(500)))
    first = engine.observe()
    assert (first["whole"], len(first["users"])) == (True, 502)
    nothing = engine.observe(first["mark"])
    assert (nothing["whole"], nothing["users"], nothing["sessions"]) == (False, {}, [])
    cable.dial(Subscriber(THEO))
    changed = [entry("pablo", "other"), entry("yunhan")]
    removed = [{"name": "user7", "sessions": "terminate"}]
    assert "ok" in engine.ask("users", generation=2, put=changed, remove=removed)
    news = engine.observe(first["mark"])
    assert news["users"].keys() == {"pablo", "yunhan", "user7"}
    assert news["users"]["user7"] is None
    assert [(one["user"], one["state"]) for one in news["sessions"]] == [("theo", "opened")]
    assert engine.observe({**first["mark"], "engine": "another"})["whole"]


def test_who_knows_a_moment_is_told_why_a_session_is_over_since(engine: Engine, cable: Cable) -> None:
    engine.serve("theo")
    theo = cable.dial(Subscriber(THEO))
    before = engine.observe()
    cable.say(theo.hangup(time.monotonic(), polite=False))
    cable.until(lambda: not engine.sessions())
    gone = {"interface": "eth0", "mac": THEO.hex(":"), "id": theo.session_id, "reason": "padt_received"}
    assert engine.observe(before["mark"])["gone"] == [gone]
    assert engine.observe()["gone"] == []


def test_frames_that_come_faster_than_they_are_read_are_counted(engine: Engine, cable: Cable) -> None:
    engine.serve("theo")
    theo = cable.dial(Subscriber(THEO))
    echo = (b"\xc0\x21\x09\1" + (MOST - 2).to_bytes(2, "big")).ljust(MOST, b"\0")
    session = b"\x88\x64\x11\0" + theo.session_id.to_bytes(2, "big") + len(echo).to_bytes(2, "big")
    engine.process.send_signal(signal.SIGSTOP)
    cable.say([theo.ac_mac + THEO + session + echo] * (2 * RECEIVE_BUFFER // MOST))
    engine.process.send_signal(signal.SIGCONT)
    cable.until(lambda: "queue_full" in engine.observe()["drops"])
    assert theo.state == "up"


def test_an_interface_that_is_removed_takes_its_sessions_along(engine: Engine, cable: Cable) -> None:
    engine.serve("theo")
    engine.ask("follow")
    cable.dial(Subscriber(THEO))
    assert engine.receive()["event"]["type"] == "session_opened"
    links.delete("eth0")
    assert engine.receive()["event"]["reason"] == "interface_lost"
    seen = engine.observe()
    assert (seen["listeners"], seen["sessions"]) == ({}, [])


def test_shutdown_says_goodbye_to_every_subscriber(engine: Engine, cable: Cable, tmp_path: Path) -> None:
    engine.serve("theo")
    theo = cable.dial(Subscriber(THEO))
    engine.ask("shutdown")
    cable.until(lambda: theo.state == "closed")
    assert engine.process.wait(PATIENCE) == 0
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_without_a_tun_device_it_says_what_to_do(namespace: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reconciler.engine", "--runtime-dir", str(tmp_path), "--datapath", "tun"]
    unprivileged = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", *command]
    refused = subprocess.run(unprivileged, capture_output=True, text=True, check=False, timeout=30)
    assert refused.returncode == 1
    assert refused.stderr == "engine: not allowed to make a TUN device: run as root, or with CAP_NET_ADMIN\n"


def test_the_engine_imports_nothing_heavy() -> None:
    script = (
        "import sys, reconciler.engine.__main__; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"asyncio", "click", "pydantic", "pyroute2", "ruamel", "scapy", "watchdog", "importlib_metadata"}
    assert not heavy & set(shown.stdout.split())
