"""The subscriber process on a real interface, against a fake concentrator at the other end of the cable."""

from __future__ import annotations

import itertools
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.lab.caller import Caller, CallerError
from reconciler.linux import links, netns
from reconciler.linux.packet import NOT_PADI, PADI_ONLY, PPP_CONTROL, PPP_DATA, open_packet_socket
from reconciler.probe.codec import Configure, Protocol
from reconciler.probe.icmp import checksum
from tests.patience import PATIENCE
from tests.probe.fake_ac import MAC, FakeAc

pytestmark = pytest.mark.root


class Wire:
    """A fake concentrator on ``eth0`` that answers every ping itself, but those it is told to lose."""

    def __init__(self, ac: FakeAc) -> None:
        self.ac = ac
        self.lose: set[int] = set()
        self.pinged: list[bytes] = []
        self._control = [
            open_packet_socket("eth0", ethertype, tests)
            for ethertype, tests in ((0x8863, PADI_ONLY), (0x8863, NOT_PADI), (0x8864, PPP_CONTROL))
        ]
        self._data = open_packet_socket("eth0", 0x8864, PPP_DATA)
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def send(self, frame: bytes) -> None:
        self._data.send(frame)

    def close(self) -> None:
        self._stop.close()
        self._thread.join()
        for sock in (*self._control, self._data, self._stopped):
            sock.close()

    def _serve(self) -> None:
        while True:
            ready, _, _ = select.select([*self._control, self._data, self._stopped], [], [])
            if self._stopped in ready:
                return
            for sock in ready:
                frame = sock.recv(2000)
                for answer in [self._pong(frame)] if sock is self._data else self.ac.receive(frame):
                    if answer:
                        sock.send(answer)

    def _pong(self, frame: bytes) -> bytes | None:
        packet = frame[22:]
        (seq,) = struct.unpack_from("!H", packet, 26)
        self.pinged.append(packet[12:20])
        if seq in self.lose or packet[9] != socket.IPPROTO_ICMP:
            return None
        icmp = b"\0\0\0\0" + packet[24:28]
        icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
        header = packet[:10] + b"\0\0" + packet[16:20] + packet[12:16]
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        return frame[6:12] + frame[:6] + frame[12:22] + header + icmp


@pytest.fixture
def wire(neighbour: str) -> Iterator[Wire]:
    links.set_mac("eth0", MAC.hex(":"))
    wire = Wire(FakeAc())
    yield wire
    wire.close()


@pytest.fixture
def caller(neighbour: str, wire: Wire) -> Iterator[Caller]:
    caller = Caller("theo", neighbour)
    yield caller
    caller.close()


def inside(caller: Caller, *argv: str) -> str:
    return subprocess.run(
        ["ip", "-n", caller.namespace, *argv], capture_output=True, text=True, check=False
    ).stdout


def test_a_call_brings_up_ppp0_as_a_subscriber_expects_it(caller: Caller) -> None:
    up = caller.dial("theo", "test")
    assert up["event"] == "up", up
    assert (up["address"], up["peer"], up["dns"]) == ("10.214.2.101", "10.214.2.100", ["8.8.8.8", "8.8.4.4"])
    shown = inside(caller, "addr", "show", "ppp0")
    assert "inet 10.214.2.101 peer 10.214.2.100/32" in shown
    assert "mtu 1492" in shown
    assert "default dev ppp0" in inside(caller, "route")
    assert caller.order("status")["up"]["id"] == 7


def test_pings_travel_through_the_session_and_each_is_accounted_for(caller: Caller, wire: Wire) -> None:
    wire.lose = {2}
    caller.dial("theo", "test")
    caller.order("ping", target="8.8.8.8", interval=0.02)
    while caller.order("report")["sent"] < 5:
        time.sleep(0.02)
    report = caller.order("ping_stop")
    assert report["sent"] >= 5
    assert (report["received"], report["lost"], report["waiting"]) == (report["sent"] - 1, 1, 0)
    assert [loss["seq"] for loss in report["losses"]] == [2]
    assert set(wire.pinged) == {bytes([10, 214, 2, 101, 8, 8, 8, 8])}


def test_without_a_session_a_ping_is_lost_with_the_reason(caller: Caller) -> None:
    caller.order("ping", target="8.8.8.8", interval=0.02)
    report = caller.order("ping_stop")
    assert report["lost"] == report["sent"] >= 1
    assert report["losses"][0]["error"] == "Network is unreachable"


def test_the_concentrators_goodbye_takes_ppp0_away_and_is_told(caller: Caller, wire: Wire) -> None:
    caller.dial("theo", "test")
    wire.send(wire.ac.send(Protocol.LCP, Configure.TERMINATE_REQUEST, 3, b"revoked"))
    down = caller.wait_event("down", wait=PATIENCE)
    assert down is not None
    told = {key: down[key] for key in ("by", "reason", "terminate_request", "padt")}
    assert told == {
        "by": "ac",
        "reason": "Terminate-Request: revoked",
        "terminate_request": True,
        "padt": True,
    }
    assert inside(caller, "link", "show", "ppp0") == ""


def test_a_refused_login_is_told_and_another_may_follow(caller: Caller) -> None:
    failed = caller.dial("theo", "wrong")
    assert (failed["event"], failed["phase"], failed["reason"]) == ("failed", "authentication", "no")
    assert caller.dial("theo", "test")["event"] == "up"


def test_it_redials_when_told_to(caller: Caller, wire: Wire) -> None:
    caller.dial("theo", "test", redial=0.05)
    wire.send(wire.ac.padt())
    assert caller.wait_event("down", wait=PATIENCE)
    assert caller.wait_event("up", since=2, wait=PATIENCE)


def test_orders_that_make_no_sense_are_refused_in_words(caller: Caller) -> None:
    caller.dial("theo", "test")
    senseless: list[tuple[str, dict[str, Any], str]] = [
        ("dial", {"user": "theo", "password": "test"}, "a call is under way"),
        ("report", {}, "not pinging"),
        ("dance", {}, "no command dance"),
        ("ping", {"target": "8.8.8.8"}, "'interval' is missing"),
        ("ping", {"target": "8.8.8.8", "interval": "often"}, "not of the right kind"),
    ]
    for do, arguments, why in senseless:
        with pytest.raises(CallerError, match=why):
            caller.order(do, **arguments)


def test_leaving_hangs_up_first(caller: Caller, wire: Wire) -> None:
    caller.dial("theo", "test")
    caller.close()
    assert Configure.TERMINATE_REQUEST in wire.ac.codes(Protocol.LCP)
    assert wire.ac.codes()[-1] == 0xA7


def test_it_ends_with_its_parent(neighbour: str, wire: Wire) -> None:
    script = (
        "import sys, time\nfrom reconciler.lab.caller import Caller\n"
        f"caller = Caller('theo', {neighbour!r})\nprint(caller._process.pid, flush=True)\n"
        "caller.dial('theo', 'test')\nprint('up', flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = os.pidfd_open(int(parent.stdout.readline()))
        assert parent.stdout.readline() == "up\n"
    parent.kill()
    parent.wait()
    gone, _, _ = select.select([child], [], [], PATIENCE)
    os.close(child)
    assert gone, "the subscriber outlived its parent"
    assert wire.ac.codes()[-1] == 0xA7


def test_a_missing_port_is_one_line(neighbour: str) -> None:
    with netns.inside(neighbour):
        argv = [sys.executable, "-m", "reconciler.probe.subscriber", "eth9"]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "subscriber on eth9: there is no such interface\n"


def test_the_trace_tells_the_whole_call_and_no_password(caller: Caller) -> None:
    argv = [sys.executable, "-m", "reconciler.probe.trace", "eth0", f"{MAC.hex(':')}=SERVER"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as trace:
        assert trace.stdout is not None
        assert trace.stderr is not None
        assert trace.stderr.readline() == "listening on eth0\n"
        caller.dial("theo", "test")
        caller.order("hangup")
        lines = list(itertools.takewhile(lambda line: "PADT" not in line, trace.stdout))
        trace.terminate()
        assert trace.wait(PATIENCE) == 0, trace.stderr.read()
    told = "\n".join(lines)
    for step in ("PADI", "PADO", "PADR", "PADS", "LCP Configure-Ack", "CHAP Response", "CHAP Success"):
        assert step in told
    assert "IPCP Configure-Nak id 1 <addr 10.214.2.101> <dns1 8.8.8.8> <dns2 8.8.4.4>" in told
    assert "LCP Terminate-Request" in told
