"""Whatever a hostile neighbour sends, the others are served, and the engine stays as large as it was."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import pack

import pytest

from reconciler.linux import netns
from tests.patience import PATIENCE
from tests.peer import AC_COOKIE, HOST_UNIQ, PADR, PADT, SERVICE_NAME, Subscriber, pack_tags
from tests.peer_negotiation import ECHO, LCP, TERM_REQUEST, control
from tests.root.engine import Engine
from tests.root.test_personas import OURS, ping
from tests.root.wire import Cable

pytestmark = pytest.mark.root

THEO, PABLO, THIEF = (b"\x02\xc1\0\0\0" + bytes([n]) for n in (1, 2, 9))
FLOOD, PADIS = 3.0, 60_000
"""At least so many seconds, and so many frames."""
PINGS = 100
FLAT = 8 << 10
"""KiB that the engine may grow by under a flood of any length: its tables are bounded."""


def resident(process: int) -> int:
    """KiB of memory."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0])


@contextmanager
def flood(namespace: str) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-m", "tests.root.flood", "eth0", str(FLOOD), str(PADIS)]
    with netns.inside(namespace):
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    with process:
        yield process
        process.wait(PATIENCE)


def answered(cable: Cable, client: Subscriber) -> set[int]:
    """The pings of this client that have been answered, by number."""
    start = client.mac, OURS + client.address + b"\0\0"
    return {frame[49] for frame in cable.heard if (frame[:6], frame[34:44]) == start}


@pytest.mark.parametrize("engine", ["tun", "ebpf"], indirect=True)
def test_D22_X4_a_flood_of_padis_harms_neither_sessions_nor_dials_nor_packets(
    engine: Engine, cable: Cable, neighbour: str
) -> None:
    engine.serve("theo", "pablo")
    engine.ask("configure", generation=2, settings={"echo_interval": 1, "echo_failures": 2})
    engine.lead()
    theo = cable.dial(Subscriber(THEO))
    before = resident(engine.process.pid)
    with flood(neighbour) as flooder:
        end = time.monotonic() + FLOOD
        for number in range(PINGS):
            cable.say([ping(theo, number)])
            if number == PINGS // 4:
                assert cable.dial(Subscriber(PABLO, b"pablo")).state == "up", "in the middle of it"
            turn = end - (PINGS - number) * FLOOD / PINGS
            cable.until(lambda turn=turn: time.monotonic() >= turn)  # type: ignore[misc]
        cable.until(lambda: flooder.poll() is not None)
        assert flooder.stdout is not None
        sent = int(flooder.stdout.read())
    cable.until(lambda: len(answered(cable, theo)) == PINGS)
    assert theo.state == "up", "its echoes were answered, and heard"
    assert [view["user"] for view in engine.sessions()] == ["theo", "pablo"]
    grown = resident(engine.process.pid) - before
    assert sent >= PADIS
    assert grown < FLAT, f"{grown} KiB more after {sent} PADIs"
    assert engine.observe()["drops"]["padi_rate"] > 0


def thief(ac: bytes, ethertype: int, code: int, session_id: int, payload: bytes, mac: bytes = THIEF) -> bytes:
    return (ac + mac + pack("!HBBHH", ethertype, 0x11, code, session_id, len(payload)) + payload).ljust(
        60, b"\0"
    )


@pytest.mark.parametrize("engine", ["tun", "ebpf"], indirect=True)
def test_D23_D33_D37_L18_forged_stolen_replayed_and_reflected_frames_are_counted_and_nothing_else(
    engine: Engine, cable: Cable
) -> None:
    engine.serve("theo", "pablo")
    engine.lead()
    theo = cable.dial(Subscriber(THEO))
    ac, session_id, cookie = theo.ac_mac, theo.session_id, theo.offer[AC_COOKIE]
    request = pack_tags([(SERVICE_NAME, b""), (HOST_UNIQ, b"\0\x2a"), (AC_COOKIE, cookie)])
    reflected = [ac + frame[:6] + frame[12:] for frame in cable.heard if frame[:6] == THEO]
    before = engine.sessions()
    lcp = [control(LCP, code, 1, b"HOST") for code in (TERM_REQUEST, ECHO)]
    cable.say(
        [
            thief(ac, 0x8863, PADT, session_id, b""),
            *(thief(ac, 0x8864, 0, session_id, packet) for packet in lcp),
            thief(ac, 0x8864, 0, session_id, b"\0\x21" + ping(theo, 1)[22:]),
            thief(ac, 0x8863, PADR, 0, request),
            thief(ac, 0x8863, PADR, 0, request, THEO),
            *(frame for frame in cable.heard if frame[:6] == THEO),
            *(frame for frame in reflected if frame[12:14] == b"\x88\x63"),
        ]
    )
    cable.heard.clear()
    expected = {"foreign_session", "bad_cookie", "late_padr", "rogue_ac"}
    cable.until(lambda: expected <= engine.observe()["drops"].keys())
    cable.say([ping(theo, 2)])
    cable.until(lambda: answered(cable, theo) == {2})
    assert not [frame for frame in cable.heard if frame[:6] == THIEF]
    assert [(v["user"], v["since"]) for v in engine.sessions()] == [(v["user"], v["since"]) for v in before]
    assert theo.state == "up"
