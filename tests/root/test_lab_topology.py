"""The sandbox's wiring is what it says, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from reconciler.lab.topology import FAR_ADDRESS, ROUTER_ADDRESS, Topology, sweep
from reconciler.linux import links, netns, sysctl
from tests.patience import PATIENCE

pytestmark = pytest.mark.root


def reaches(address: str, *, source: str | None = None) -> bool:
    argv = ["ping", "-c", "1", "-W", "1", *(["-I", source] if source else []), address]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def ours() -> set[str]:
    """This process's sandboxes; a test beside this one may have its own."""
    return {name for name in netns.names() if name.startswith(f"rc-{os.getpid()}-")}


def test_the_concentrator_reaches_the_far_end_and_has_one_interface() -> None:
    with Topology(("theo",)) as topology, netns.inside(topology.ac):
        assert reaches(ROUTER_ADDRESS)
        assert reaches(FAR_ADDRESS)
        assert sysctl.read(sysctl.IP_FORWARD) == 0
        assert sysctl.read(sysctl.interface_key("eth0", "proxy_arp")) == 0
        shown = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
        assert [line.split("@")[0].split()[0] for line in shown.splitlines()] == ["lo", "eth0"]


def test_a_subscriber_is_on_the_wire_without_an_address() -> None:
    with Topology(("theo", "pablo")) as topology:
        assert topology.mac("theo") != topology.mac("pablo")
        with netns.inside(topology.namespace("theo")):
            shown = subprocess.run(
                ["ip", "-4", "addr", "show", "eth0"], capture_output=True, text=True
            ).stdout
            assert "inet" not in shown
            assert not reaches(FAR_ADDRESS)


def test_answers_to_an_address_behind_the_concentrator_need_proxy_arp() -> None:
    with Topology(()) as topology, netns.inside(topology.ac):
        # An address of the LAN that lives behind the concentrator, as a subscriber's does.
        netns_behind = topology.namespace("behind")
        netns.create(netns_behind)
        try:
            links.create_veth("ppp", "eth0", netns_behind)
            links.assign("ppp", "10.214.2.100", 32, peer="10.214.2.101")
            links.bring("ppp", up=True)
            sysctl.write(sysctl.IP_FORWARD, 1)
            sysctl.write(sysctl.interface_key("ppp", "rp_filter"), 0)
            with netns.inside(netns_behind):
                links.assign("eth0", "10.214.2.101", 32, peer="10.214.2.100")
                links.bring("eth0", up=True)
                links.default_route(gateway="10.214.2.100")
                assert not reaches(FAR_ADDRESS)
            sysctl.write(sysctl.interface_key("eth0", "proxy_arp"), 1)
            with netns.inside(netns_behind):
                assert reaches(FAR_ADDRESS) or reaches(FAR_ADDRESS)  # the first may wait for the ARP answer
        finally:
            netns.remove(netns_behind)


def fail_inside(started: list[subprocess.Popen[bytes]]) -> None:
    with Topology(("theo",)) as topology:
        started.append(subprocess.Popen(["sleep", "60"]))
        with netns.inside(topology.ac):
            started.append(subprocess.Popen(["sleep", "60"]))
        assert topology.ac in ours()
        raise ZeroDivisionError


def test_everything_is_gone_afterwards_also_after_a_failure() -> None:
    before = ours()
    started: list[subprocess.Popen[bytes]] = []
    with pytest.raises(ZeroDivisionError):
        fail_inside(started)
    stranger, inhabitant = started
    assert ours() == before
    assert inhabitant.wait(PATIENCE) == -signal.SIGKILL
    assert stranger.poll() is None, "only what lives in the sandbox goes with it"
    stranger.kill()
    stranger.wait()


def test_a_sandbox_that_could_not_be_finished_is_taken_down_again() -> None:
    before = ours()
    with pytest.raises(OSError, match="exists already"), Topology(("theo", "theo")):
        pass
    assert ours() == before


def test_the_remains_of_a_killed_sandbox_are_swept_away() -> None:
    script = (
        "import os, signal\nfrom reconciler.lab.topology import Topology\n"
        "with Topology(('theo',)):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.Popen([sys.executable, "-c", script])
    assert killed.wait(PATIENCE) == -signal.SIGKILL
    assert [name for name in netns.names() if name.startswith(f"rc-{killed.pid}-")]
    with Topology(()):
        living = ours()
        sweep()
        assert ours() == living, "a living sandbox is left alone"
        assert not [name for name in netns.names() if name.startswith(f"rc-{killed.pid}-")]


def test_two_sandboxes_at_once_do_not_meet() -> None:
    with Topology(()) as one, Topology(()) as other:
        assert one.ac != other.ac
        assert {one.ac, other.ac} <= ours()
