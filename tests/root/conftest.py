"""Tests that need root, network namespaces and TUN: skipped, with the reason, where those are missing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from reconciler.linux import bpf, interface, links, netns
from tests.missing import do_without
from tests.patience import PATIENCE
from tests.root.box import SITE, Box
from tests.root.daemons import Daemons
from tests.root.engine import Engine
from tests.root.wire import Cable


def _missing() -> str | None:
    if os.geteuid() != 0:
        return "needs root"
    if not Path("/dev/net/tun").exists():
        return "needs /dev/net/tun"
    return None


@cache
def _no_bpf() -> str | None:
    try:
        bpf.allow_memory()
        bpf.Map.create("probe", bpf.Shape(kind=2, key_size=4, value_size=8, entries=1, flags=0)).close()
    except bpf.BpfError as error:
        return f"needs eBPF: {error}"
    return None


def _wants_bpf(item: pytest.Item) -> bool:
    """Whether it names the data path: as a parameter, or by its file or folder."""
    call = getattr(item, "callspec", None)
    values = [] if call is None else [v for v in call.params.values() if isinstance(v, str | tuple)]
    return any("ebpf" in name for name in (*item.path.parts[-2:], *values))


def pytest_runtest_setup(item: pytest.Item) -> None:
    reason = _missing() or (_no_bpf() if _wants_bpf(item) else None)
    if reason and item.get_closest_marker("root"):
        do_without(reason)


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heeded() -> Iterator[None]:
    """Also where the tests run in the background of a shell, which has whatever is started ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def daemons() -> Iterator[Daemons]:
    """Every reconciler that these tests run."""
    known = Daemons()
    with known.watched():
        yield known


@pytest.fixture(autouse=True)
def nobody_is_dropped_unnamed(daemons: Daemons) -> Iterator[None]:
    """Whatever a test is about: no apply ends a session that its plan had not named."""
    yield
    assert daemons.new_drops() == 0, "reconciler_unpredicted_drops_total"


@pytest.fixture
def namespace() -> Iterator[str]:
    """A network namespace of the test's own, in which the test already is."""
    name = f"rct-{os.getpid()}-{os.urandom(2).hex()}"
    netns.create(name)
    try:
        with netns.inside(name):
            links.bring("lo", up=True)
            yield name
    finally:
        netns.remove(name)


@pytest.fixture
def neighbour(namespace: str) -> Iterator[str]:
    """A second namespace, joined to the first by a cable: ``eth0`` in each, both up."""
    name = f"{namespace}-b"
    netns.create(name)
    try:
        links.create_veth("eth0", "eth0", name)
        links.bring("eth0", up=True)
        with netns.inside(name):
            links.bring("eth0", up=True)
            carries("eth0")
        carries("eth0")
        yield name
    finally:
        netns.remove(name)


def carries(name: str) -> None:
    """Wait until an interface that was set up lets frames pass, of which the kernel takes care later on."""
    end = time.monotonic() + PATIENCE
    while not interface.read(name).up:
        assert time.monotonic() < end, f"{name} has no carrier"
        time.sleep(0.001)
    interface.set_up(name)  # nothing new, but it waits for its turn behind that


@pytest.fixture
def engine(neighbour: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    running = Engine(tmp_path, getattr(request, "param", "null"))
    yield running
    running.end()


@pytest.fixture
def cable(neighbour: str) -> Iterator[Cable]:
    made = Cable(neighbour)
    yield made
    made.close()


@pytest.fixture
def box(neighbour: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Box]:
    """A reconciler's directory, with the ``SITE`` of the test's module; nothing runs in it yet."""
    made = Box(tmp_path, getattr(request.module, "SITE", SITE))
    yield made
    made.close()
