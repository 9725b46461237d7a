"""``access_only`` in a running engine: kept where the data path can, refused in a line where it cannot."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.peer import Subscriber
from tests.root.engine import Engine
from tests.root.wire import Cable

pytestmark = pytest.mark.root

THEO = bytes.fromhex("02c100000001")
ARP = b"\xff" * 6 + THEO + b"\x08\x06" + b"\0\1\x08\0\6\4\0\1" + THEO + bytes(10)


def arp_for(address: bytes) -> bytes:
    """Who has this address?"""
    return (ARP[:-10] + b"\x0a\xd6\2\x05" + bytes(6) + address).ljust(60, b"\0")


def answers(cable: Cable) -> int:
    return sum(frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2" for frame in cable.heard)


def test_nothing_but_pppoe_is_heard_and_so_it_stays_after_a_restart(cable: Cable, tmp_path: Path) -> None:
    now = Engine(tmp_path, "ebpf")
    now.serve("theo")
    now.lead()
    ours = bytes([10, 214, 2, 100])
    cable.say([arp_for(ours)])
    cable.until(lambda: answers(cable) == 1)
    assert "ok" in now.ask("configure", generation=2, settings={"access_only": True})
    cable.say([arp_for(ours)])
    assert cable.dial(Subscriber(THEO)).state == "up"
    now.die(signal.SIGKILL)
    heir = Engine(tmp_path, "ebpf")
    cable.say([arp_for(ours)])
    cable.until(lambda: heir.observe()["drops"].get("not_pppoe", 0) >= 2)
    assert heir.observe()["settings"]["access_only"] is True
    assert answers(cable) == 1
    assert "ok" in heir.ask("configure", generation=3, settings={"access_only": False})
    cable.say([arp_for(ours)])
    cable.until(lambda: answers(cable) == 2)
    heir.end()


@pytest.mark.parametrize("engine", ["tun", "null"], indirect=True)
def test_a_data_path_that_cannot_says_so_and_changes_nothing(engine: Engine) -> None:
    engine.serve("theo")
    settings = {"access_only": True, "ac_name": "OTHER"}
    error = engine.ask("configure", generation=2, settings=settings)["error"]
    assert error["code"] == "failed"
    assert "data path" in error["message"]
    seen = engine.observe()["settings"]
    assert (seen["access_only"], seen["ac_name"]) == (False, "SERVER")
