"""One sandbox and one guest for all of these tests; each test dials with pppd users of its own."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.lab.sandbox import Sandbox
from reconciler.linux import links, netns
from tests.missing import do_without
from tests.patience import PATIENCE
from tests.root.guest.pppd import Pppd
from tests.root.guest.vm import NEEDS, Guest
from tests.root.ward import HEAD

TAP = "tap0"

SITE = f"""\
{HEAD}\
pool_size: 8
dns_servers: [8.8.8.8, 8.8.4.4]
forwarding:
  ip_forward: true
  proxy_arp: true
users:
  theo: test
  pablo: test
  yunhan: test
"""


def pytest_runtest_setup(item: pytest.Item) -> None:
    missing = [program for program in NEEDS if not Path(program).exists()]
    if missing and item.get_closest_marker("guest"):
        do_without(f"needs {', '.join(missing)}")


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    if os.geteuid() != 0:
        do_without("needs root")
    with Sandbox(SITE, ()) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def guest(_sandbox: Sandbox) -> Iterator[Guest]:
    """The guest, its card plugged into the sandbox's switch."""
    switch = _sandbox.topology.namespace("switch")
    with netns.inside(switch):
        subprocess.run(["ip", "tuntap", "add", TAP, "mode", "tap"], check=True)
        links.join(TAP, "sw0")
        links.bring(TAP, up=True)
    with Guest(switch, TAP) as guest:
        yield guest


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, with the file as it was at first."""
    yield _sandbox
    _sandbox.instance.save(SITE)
    _sandbox.instance.wait_in_force(SITE)


@pytest.fixture
def subscriber(guest: Guest, sandbox: Sandbox) -> Iterator[Callable[[], Pppd]]:
    """Makes subscribers; afterwards they hang up and nobody is left in."""
    made: list[Pppd] = []

    def make() -> Pppd:
        number = next(_numbers)
        made.append(Pppd(guest, f"line{number}", number))
        return made[-1]

    yield make
    for pppd in made:
        pppd.give_up()
    sandbox.instance.wait_for(lambda status: status["sessions"]["live"] == 0, "nobody being left", PATIENCE)


_numbers = itertools.count(1)
