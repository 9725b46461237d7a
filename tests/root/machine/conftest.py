"""One machine for all of these tests, with the Debian package installed, and subscribers on its wire."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.lab.caller import Caller, CallerError
from reconciler.lab.topology import Topology
from reconciler.linux import netns
from tests.missing import do_without
from tests.patience import PATIENCE
from tests.root import pinging
from tests.root.machine.machine import NEEDS, RELEASE, Machine, MachineError, make_base

ROOT = Path(__file__).parents[3]
USERS = ("theo", "pablo", "yunhan")
ENGINE, RECONCILER = "reconciler-engine.service", "reconciler.service"


class Box:
    """The machine as its operator sees it, and its subscribers."""

    def __init__(self, machine: Machine, callers: dict[str, Caller], datapath: str) -> None:
        self.machine = machine
        self.callers = callers
        self.datapath = datapath
        self._dialled = False

    def save(self, site: str) -> None:
        self.machine.write("/etc/reconciler/site.yaml", site)

    def ask(self, *words: str) -> Any:
        return json.loads(self.machine.run("reconciler", *words, "-o", "json"))

    def sessions(self) -> list[dict[str, Any]]:
        """Who each session is: what must not change while it lasts."""
        told = ("user", "id", "mac", "address", "since")
        return sorted(({key: one[key] for key in told} for one in self.ask("sessions")), key=str)

    def wait_for_sessions(self, expected: list[dict[str, Any]]) -> None:
        """Until those that are there are these very ones."""

        def there() -> bool:
            with contextlib.suppress(MachineError):  # nobody answers while either process is replaced
                return self.settled() and self.sessions() == expected
            return False

        self.wait_for(there, f"sessions like {expected}")

    def pid(self, unit: str) -> int:
        return int(self.machine.property(unit, "MainPID"))

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, f"no {what} within {PATIENCE} s\n{self.log()}"
            time.sleep(0.1)

    def settled(self) -> bool:
        """Whether the reconciler says that all is well."""
        said = self.machine.run("reconciler", "status", "-o", "json", expect=None)
        with contextlib.suppress(ValueError):
            return all(one["status"] for one in json.loads(said)["conditions"] if one["type"] == "Ready")
        return False

    def log(self) -> str:
        return self.machine.run("journalctl", "--no-pager", "-n", "60", "-u", "reconciler*")

    def dial(self) -> None:
        """Everybody comes up, and pings the far end from then on."""
        self._dialled = True
        for user in self.callers:
            self.dial_as(user)

    def dial_as(self, user: str) -> None:
        """The same for one of them."""
        caller = self.callers[user]
        came = caller.dial(user, "test", wait=PATIENCE)
        assert came["event"] == "up", came
        pinging.start(caller)

    def lost(self) -> dict[str, int]:
        """Let everybody send some more pings, then count those without an answer, and go on pinging."""
        lost = pinging.lost(self.callers)
        pinging.start(*self.callers.values())
        return lost

    @contextlib.contextmanager
    def override(self, *lines: str) -> Iterator[None]:
        """The engine's unit has these lines too, for the time of a ``with`` block."""
        directory = f"/run/systemd/system/{ENGINE}.d"
        self.machine.write(f"{directory}/test.conf", "\n".join(["[Service]", *lines, ""]))
        self.machine.run("systemctl", "daemon-reload")
        try:
            yield
        finally:
            self.machine.run("rm", "-r", directory)
            self.machine.run("systemctl", "daemon-reload")

    def put_right(self) -> None:
        """Whatever became of the test before: whoever is to be online is, and begins to ping."""
        if not self._dialled:
            return
        offline = [user for user, one in self.callers.items() if one.order("status")["up"] is None]
        if offline:
            self.machine.run("systemctl", "start", ENGINE, RECONCILER)
            self.wait_for(self.settled, "readiness")
        for user, caller in self.callers.items():
            with contextlib.suppress(CallerError):  # it is not pinging
                caller.order("ping_stop")
            if user in offline:
                self.dial_as(user)
            else:
                pinging.start(caller)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """An administrator does these things in one order, whatever that of the others is."""
    places = [n for n, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ours = sorted((items[n] for n in places), key=_order)
    for place, item in zip(places, ours, strict=True):
        items[place] = item


def _order(item: pytest.Item) -> tuple[str, int]:
    box = item.callspec.params.get("_box", "") if hasattr(item, "callspec") else ""
    return str(box), item.reportinfo()[1] or 0


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Debian package of this tree."""
    if shutil.which("dpkg-deb") is None:
        do_without("needs dpkg-deb")
    made = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, ROOT / "packaging/build.py", made], check=True, capture_output=True)
    (package,) = made.glob("*.deb")
    return package


@pytest.fixture(scope="session")
def machine_base() -> Path:
    """A bare Debian, kept from one run to the next."""
    missing = [program for program in NEEDS if shutil.which(program) is None]
    if missing:
        do_without(f"needs {', '.join(missing)}")
    base = ROOT / "build" / f"debian-{RELEASE}"
    make_base(base)
    return base


@pytest.fixture
def box(_box: Box) -> Box:
    """The machine, as a test expects to find it."""
    _box.put_right()
    return _box


@pytest.fixture(scope="module", params=["ebpf", "tun"])
def _box(package: Path, machine_base: Path, request: pytest.FixtureRequest) -> Iterator[Box]:
    with contextlib.ExitStack() as undo:
        topology = undo.enter_context(Topology(USERS))
        callers = {}
        for user in USERS:
            callers[user] = Caller(user, topology.namespace(user))
            undo.callback(callers[user].close)
        with netns.inside(topology.ac):
            machine = undo.enter_context(Machine(machine_base))
        machine.copy(package, "/root/reconciler.deb")
        machine.run("dpkg", "--install", "/root/reconciler.deb")
        if request.param == "tun":  # the other is what it takes by itself
            machine.write("/etc/default/reconciler-engine", "RECONCILER_DATAPATH=tun\n")
        yield Box(machine, callers, request.param)
