"""What else pppd may be set to, and what happens to lines and neighbours: it gets in all the same."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest

from reconciler.engine.ppp.control import FIRST_TIMEOUT
from reconciler.lab.sandbox import Sandbox
from reconciler.lab.topology import FAR_ADDRESS
from reconciler.linux import netns
from reconciler.linux.interface import set_mtu
from tests.patience import PATIENCE
from tests.root.flood import PADI
from tests.root.guest.conftest import SITE, TAP
from tests.root.guest.pppd import UNHURRIED, Dialled, Pppd
from tests.root.guest.test_pppd import live
from tests.root.guest.vm import Guest

pytestmark = [pytest.mark.root, pytest.mark.guest]

Make = Callable[[], Pppd]

PPPOE_AND_PPP = 8
IP_AND_ICMP = 28
DIALS = 20


def put_in_force(sandbox: Sandbox, text: str) -> None:
    sandbox.instance.save(text)
    sandbox.instance.wait_in_force(text)


def answered(pppd: Pppd, size: int, *more: str) -> bool:
    """Whether pings of IPv4 packets of that size pass."""
    return pppd.pings(FAR_ADDRESS, 2, "-s", str(size - IP_AND_ICMP), *more) == 2


@pytest.mark.parametrize(
    "options",
    [
        ("novj", "noccp", "noipv6"),
        ("noccp", "noipv6"),
        ("novj", "noipv6", "deflate 15,15", "bsdcomp 15,15"),
        ("novj", "noccp", "+ipv6"),
        ("deflate 15,15", "bsdcomp 15,15", "+ipv6"),
    ],
    ids=["bare", "vj", "ccp", "ipv6cp", "all"],
)
def test_I4_C1_whatever_else_pppd_wants_ipv4_comes_up(subscriber: Make, options: tuple[str, ...]) -> None:
    pppd = subscriber()
    dialled = pppd.dial("theo", "test", "chap", *options)
    assert dialled.up, dialled.log
    assert pppd.pings(FAR_ADDRESS, 3) == 3


def test_L15_X1_a_smaller_mru_is_kept_to_in_both_directions(subscriber: Make) -> None:
    pppd = subscriber()
    dialled = pppd.dial("theo", "test", "chap", "mru 1400", "mtu 1400")
    assert dialled.up, dialled.log
    assert "mtu 1400" in dialled.shown
    assert answered(pppd, 1400, "-M", "do")
    assert answered(pppd, 1480), "what is too large for it arrives in pieces"


@pytest.fixture
def wide(guest: Guest, sandbox: Sandbox) -> Iterator[None]:
    """Every hop between pppd and the concentrator takes 1508 octets, for the time of a test."""
    switch, ac = sandbox.topology.namespace("switch"), sandbox.topology.ac

    def give(mtu: int) -> None:
        with netns.inside(switch):
            for port in ports(switch):
                set_mtu(port, mtu)
        with netns.inside(ac):
            set_mtu("eth0", mtu)

    give(1500 + PPPOE_AND_PPP)
    yield
    give(1500)


def test_D39_L15_X1_pppd_gets_an_mru_of_1500_over_an_interface_of_1508(
    subscriber: Make, sandbox: Sandbox, wide: None
) -> None:
    put_in_force(sandbox, SITE + "mtu: 1500\n")
    pppd, end = subscriber(), time.monotonic() + PATIENCE
    while True:
        dialled = pppd.dial("theo", "test", "chap", "mru 1500", "mtu 1500")
        assert dialled.up, dialled.log
        if "<mru 1500>" in dialled.log or time.monotonic() > end:
            break
        pppd.hang_up()  # the engine looks at its interface once a second
    assert "<mru 1500>" in dialled.log
    assert "mtu 1500" in dialled.shown
    assert answered(pppd, 1500, "-M", "do")


def test_D39_a_plain_client_beside_it_keeps_1492(subscriber: Make, sandbox: Sandbox, wide: None) -> None:
    put_in_force(sandbox, SITE + "mtu: 1500\n")
    pppd = subscriber()
    dialled = pppd.dial("theo", "test")
    assert dialled.up, dialled.log
    assert "mtu 1492" in dialled.shown
    assert answered(pppd, 1492, "-M", "do")


def test_D2_a_host_uniq_of_ones_own_comes_back(subscriber: Make) -> None:
    dialled = subscriber().dial("theo", "test", "chap", "host-uniq 00ff0042aabbccdd0011223344")
    assert dialled.up, dialled.log


def test_D5_D6_a_service_is_found_by_its_name_and_another_is_not_there(
    subscriber: Make, sandbox: Sandbox
) -> None:
    newcomer = SITE.replace("  yunhan: test\n", "  yunhan: test\n  quiet: test\n")
    put_in_force(sandbox, newcomer + "service_names: [fast, slow]\n")
    dialled = subscriber().dial("theo", "test", "chap", "rp_pppoe_service fast")
    assert dialled.up, dialled.log
    quiet = subscriber()
    quiet.start("quiet", "test", "chap", "rp_pppoe_service none")

    def ignored(_status: object) -> bool:
        return "for a service name" in str(sandbox.instance.ask("why", "quiet")["advice"])

    sandbox.instance.wait_for(ignored, "a PADI being left unanswered", PATIENCE)
    quiet.give_up()
    assert not quiet.dialled().up


def test_any_service_name_is_taken_when_none_is_declared(subscriber: Make) -> None:
    dialled = subscriber().dial("theo", "test", "chap", "rp_pppoe_service anything")
    assert dialled.up, dialled.log


@pytest.fixture(scope="session")
def flooder(guest: Guest, _sandbox: Sandbox) -> str:
    """A namespace with an ``eth0`` on the switch, from which nothing reaches the slow guest."""
    switch = _sandbox.topology.namespace("switch")
    before = ports(switch)
    namespace = _sandbox.topology.plug("flooder")
    with netns.inside(switch):
        for port in (TAP, *ports(switch) - before):
            subprocess.run(["ip", "link", "set", port, "type", "bridge_slave", "isolated", "on"], check=True)
    return namespace


def ports(namespace: str) -> set[str]:
    with netns.inside(namespace):
        return {name for _, name in socket.if_nameindex()} - {"lo"}


@contextmanager
def flooding(namespace: str) -> Iterator[list[int]]:
    """For the time of a block, a thousand PADIs a second, each from another address; counts them."""
    chance, stop, sent = Random(1), threading.Event(), [0]
    with netns.inside(namespace):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        wire.bind(("eth0", 0))

    def flood() -> None:
        while not stop.wait(0.01):
            for _ in range(10):
                wire.send((b"\xff" * 6 + b"\x02" + chance.randbytes(5) + PADI).ljust(60, b"\0"))
                sent[0] += 1

    thread = threading.Thread(target=flood)
    with wire:
        thread.start()
        try:
            yield sent
        finally:
            stop.set()
            thread.join()


def test_D22_pppd_gets_in_while_somebody_floods_the_line_with_padis(
    subscriber: Make, sandbox: Sandbox, flooder: str
) -> None:
    pppd = subscriber()
    with flooding(flooder) as sent:
        dialled = pppd.dial("theo", "test", "chap", UNHURRIED)
        assert dialled.up, dialled.log
        assert pppd.pings(FAR_ADDRESS, 3) == 3
    assert sent[0] > 100
    assert dialled.log.count("sent [LCP ConfReq") == 1, dialled.log
    assert list(live(sandbox)) == ["theo"]


def test_D29_after_a_power_cut_the_old_session_makes_room_at_once(subscriber: Make, sandbox: Sandbox) -> None:
    pppd = subscriber()
    first = pppd.dial("theo", "test")
    assert first.up, first.log
    before = live(sandbox)["theo"]
    pppd.kill()
    second = pppd.dial("theo", "test", "chap", UNHURRIED)
    assert second.up, second.log
    after = live(sandbox)["theo"]
    assert after["id"] != before["id"]
    assert second.address == first.address
    assert pppd.pings(FAR_ADDRESS, 3) == 3
    assert second.log.count("sent [LCP ConfReq") == 1, second.log


def test_the_first_packet_of_a_session_is_not_lost(subscriber: Make, guest: Guest) -> None:
    """pppd runs the script as soon as IPCP is open."""
    script = guest.program("first", f"ping -c 1 -W 30 {FAR_ADDRESS} >/run/first 2>&1\n")
    for _ in range(3):
        pppd = subscriber()
        dialled = pppd.dial("theo", "test", "chap", f"ip-up-script {script}")
        assert dialled.up, dialled.log
        waited = (
            "for i in $(seq 1000); do grep -q received /run/first && break; sleep 0.05; done; cat /run/first"
        )
        shown = guest.run(f"{waited}; rm /run/first").output
        assert "1 received" in shown, shown
        pppd.hang_up()


def test_L2_twenty_dials_need_one_configure_request_each_and_their_median_is_told(
    subscriber: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    pppd = subscriber()
    dials: list[Dialled] = []
    for _ in range(DIALS):
        dials.append(pppd.dial("theo", "test", "chap", UNHURRIED))
        assert dials[-1].up, dials[-1].log
        pppd.hang_up()
    took = sorted(dialled.took for dialled in dials)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{DIALS} dials, from pppd's start to its address: median {statistics.median(took):.3f} s, "
            f"{took[0]:.3f} to {took[-1]:.3f}\n"
        )
    repeated = [dialled for dialled in dials if dialled.log.count("sent [LCP ConfReq") != 1]
    unasked = [dialled.log for dialled in repeated if dialled.took < FIRST_TIMEOUT]
    assert not unasked, unasked[0]
    # A guest that stood still for a second is asked again by us, but that does not happen every other time.
    assert len(repeated) < DIALS / 2, repeated[0].log
