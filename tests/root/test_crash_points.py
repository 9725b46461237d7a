"""SIGKILL at every moment of a set-up, of a restore and of an apply: nobody stays without service, nothing is
left over, and whoever was online does not notice.

The moments are not listed here: each test goes on to the next one until it was passed by nobody.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest

from reconciler.control.client import NoDaemonError
from tests.generate import ROOT
from tests.patience import PATIENCE
from tests.peer import Quirks, Subscriber
from tests.root import crash
from tests.root.box import Box, condition
from tests.root.crowd import Crowd
from tests.root.engine import Engine, NotStartedError
from tests.root.test_personas import ping
from tests.root.wire import Cable

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

Result = TypeVar("Result")


class Scene:
    """Engines of one directory that die when told; the next one is started when one has."""

    def __init__(self, directory: Path, traps: Path) -> None:
        self._directory = directory
        self._traps = traps
        self.engine = Engine(directory, "tun")
        self.deaths = 0
        self._before = 0

    def die_at(self, number: int) -> None:
        self._before = self.deaths
        crash.plan(self._traps, "engine", number)

    def has_died(self) -> bool:
        """Whether the plan was carried out; if not, it will not be any more."""
        if crash.withdraw(self._traps):
            return False
        if self.deaths == self._before:
            self.engine.process.wait(PATIENCE)
            self.keep_alive()
        assert self.deaths == self._before + 1
        return True

    def moments(self) -> set[str]:
        """Those that were passed since it was planned to die."""
        return moments(self._traps)

    def keep_alive(self) -> None:
        """Start another engine when this one is gone."""
        if self.engine.process.poll() is not None:
            assert self.engine.process.returncode == -signal.SIGKILL, self.engine.last_words()
            self.deaths += 1
            self.succeed()

    def ask(self, question: Callable[[Engine], Result]) -> Result:
        """What the engine that lives says."""
        while True:
            try:
                return question(self.engine)
            except (OSError, ValueError):  # it has just died
                self.engine.process.wait(PATIENCE)
                self.keep_alive()

    def sessions(self) -> list[dict[str, Any]]:
        return self.ask(Engine.sessions)

    def succeed(self, die_at: int | None = None) -> None:
        """Another engine takes over, and another one if that is to die."""
        self.engine.die(signal.SIGKILL)
        if die_at is not None:
            self.die_at(die_at)
        while True:
            try:
                self.engine = Engine(self._directory, "tun")
            except NotStartedError as error:
                if error.status != -signal.SIGKILL:
                    raise
                self.deaths += 1
                continue
            return


def moments(traps: Path) -> set[str]:
    return set((traps / "moments").read_text().splitlines())


@pytest.fixture
def traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(crash.__file__, tmp_path / "sitecustomize.py")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    return tmp_path


@pytest.fixture
def scene(traps: Path, cable: Cable, tmp_path: Path) -> Iterator[Scene]:
    directory = tmp_path / "run"
    directory.mkdir()
    made = Scene(directory, traps)
    yield made
    crash.withdraw(traps)
    made.keep_alive()
    made.engine.end()


def test_an_engine_that_dies_at_any_moment_of_a_set_up_serves_the_subscriber_all_the_same(
    scene: Scene, cable: Cable
) -> None:
    scene.engine.serve("theo")
    quick = {"auth": ["pap"], "echo_interval": 1, "echo_failures": 2}
    scene.engine.ask("configure", generation=1, settings=quick)
    scene.engine.lead()
    for number in count(1):
        scene.die_at(number)
        dial_until_up(scene, cable, number)
        if not scene.has_died():
            break
    assert {"before Port.send", "after Journal.commit", "before TunDataPath.flush"} <= scene.moments()


def dial_until_up(scene: Scene, cable: Cable, number: int) -> None:
    """A subscriber dials, again whenever it is told that its session is over, until packets go to and fro.
    Then it leaves, and nothing of it is left.
    """
    theo = Subscriber(b"\x02\xc1\0\0\1" + bytes([number]), quirks=Quirks(restart=0.5), retry=0.2)
    cable.subscribers[:] = [theo]
    cable.heard.clear()

    def served() -> bool:
        scene.keep_alive()
        if theo.state in ("closed", "failed", "idle"):
            cable.say(theo.dial(time.monotonic()))
        if theo.state == "up":
            cable.say([ping(theo, 1)])
        return theo.state == "up" and any(frame[20:22] == b"\0\x21" for frame in cable.heard)

    cable.until(served)
    (view,) = [one for one in scene.sessions() if one["state"] == "opened"]
    assert (view["id"], view["mac"]) == (theo.session_id, theo.mac.hex(":"))
    goodbye = theo.hangup(time.monotonic(), polite=False)

    def gone() -> bool:
        cable.say(goodbye)  # again: one that a dying engine had taken would be missed by an echo later on
        return not scene.sessions()

    cable.until(gone)
    drops = scene.ask(lambda engine: engine.ask("counts"))["ok"]["drops"]
    assert "internal_error" not in drops


def test_an_engine_that_dies_at_any_moment_of_its_restore_leaves_everybody_to_the_next(
    scene: Scene, cable: Cable
) -> None:
    names = ("theo", "pablo", "yunhan")
    scene.engine.serve(*names)
    scene.engine.ask("configure", generation=1, settings={"auth": ["pap"]})
    scene.engine.lead()
    with Crowd(cable, names) as crowd:
        crowd.until_up()
        before = identities(scene)
        for number in count(1):
            scene.succeed(die_at=number)
            died = scene.has_died()
            assert identities(scene) == before, f"after moment {number}: {scene.moments()}"
            if not died:
                break
        needed = {"after Journal.load", "before TunDataPath.prune", "before Service.__init__"}
        assert needed <= scene.moments()
        assert (crowd.up, crowd.lost()) == (len(names), {}), "nobody noticed any of it"


def identities(scene: Scene) -> list[tuple[object, ...]]:
    keys = ("user", "id", "mac", "address", "state")
    return sorted(tuple(one[key] for key in keys) for one in scene.sessions())


SITE = """\
version: 1
interface: eth0
local_ip: 10.214.2.100
pool_start: 10.214.2.104
pool_size: 8
auth: [pap]
users:
  theo: test
  pablo: test
"""
EDITED = (
    SITE.replace("  pablo: test\n", "  yunhan: {password: test, ip: 10.214.7.7}\n")
    .replace("pool_size: 8", "pool_size: 16")
    .replace("auth:", "dns_servers: [8.8.8.8]\nauth:")
)


def test_a_reconciler_that_dies_at_any_moment_of_an_apply_is_followed_by_one_that_ends_it(
    traps: Path, cable: Cable
) -> None:
    box = Box(traps)
    try:
        box.edit(SITE)
        box.start("--datapath", "tun")
        box.ready()
        with Crowd(cable, ("theo",)) as crowd:
            crowd.until_up()
            for number in count(1):
                apply(box, SITE)
                crash.plan(traps, "reconciler", number)
                if edited_to_the_end(box, traps):
                    break
                assert box.processes[-1].wait(PATIENCE) == -signal.SIGKILL, box.log.read_text()
                box.start("--datapath", "tun")
                settled(box)
                assert box.engine.observe()["users"].keys() == {"theo", "yunhan"}
            needed = {"after EngineClient.users", "before a commit", "after LinuxKernel.add_route"}
            assert needed <= moments(traps)
            assert (crowd.up, crowd.lost()) == (1, {}), "whom the edit does not name noticed nothing"
    finally:
        crash.withdraw(traps)
        box.close()


def apply(box: Box, text: str) -> None:
    box.edit(text)
    box.client.post("/v1/apply", patience=PATIENCE)
    settled(box)


def edited_to_the_end(box: Box, traps: Path) -> bool:
    """Have it make the edit; whether it outlives that."""
    box.edit(EDITED)
    with suppress(NoDaemonError):  # it has died
        box.client.post("/v1/apply", patience=PATIENCE)
    return crash.withdraw(traps)


def settled(box: Box) -> None:
    status = box.until(
        lambda status: (
            condition(status, "Ready")[0]
            and status["generation"]["desired"] == status["generation"]["applied"]
        ),
        "the end of the apply",
    )
    assert (status["unpredicted_drops_total"], status["drift"]) == (0, [])
