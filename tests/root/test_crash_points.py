"""SIGKILL at every moment of a set-up, of a restore and of an apply: nobody stays without service, nothing is
left over, and whoever was online does not notice.

The moments are not listed here: each test first goes through once and writes them down, then dies at each.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.generate import ROOT
from tests.peer import Subscriber
from tests.root import crash
from tests.root.box import Box, condition
from tests.root.crowd import Crowd
from tests.root.engine import Engine, NotStartedError
from tests.root.test_personas import ping
from tests.root.wire import Cable

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

PATIENCE = 20.0
Result = TypeVar("Result")


class Scene:
    """Engines of one directory that die when told; the next one is started when one has."""

    def __init__(self, directory: Path, traps: Path) -> None:
        self._directory = directory
        self._traps = traps
        self.engine = Engine(directory, "tun")
        self.deaths = 0

    def die_at(self, number: int) -> None:
        (self._traps / "moments").unlink(missing_ok=True)
        write_plan(self._traps, f"engine {number}")

    def moments(self) -> list[str]:
        """Those that were passed. From now on none are."""
        (self._traps / "crash").unlink(missing_ok=True)
        return (self._traps / "moments").read_text().splitlines()

    def keep_alive(self) -> None:
        """Start another engine when this one is gone."""
        if self.engine.process.poll() is not None:
            assert self.engine.process.returncode == -signal.SIGKILL
            self.deaths += 1
            self.succeed()

    def ask(self, question: Callable[[Engine], Result]) -> Result:
        """What the engine that lives says."""
        while True:
            try:
                return question(self.engine)
            except (OSError, ValueError):  # it has just died
                self.engine.process.wait(10)
                self.keep_alive()

    def sessions(self) -> list[dict[str, Any]]:
        return self.ask(Engine.sessions)

    def dies_once(self, before: int) -> bool:
        self.keep_alive()
        return self.deaths == before + 1

    def succeed(self) -> None:
        """Another engine takes over, after a crash of its own if it is to die."""
        self.engine.die(signal.SIGKILL)
        while True:
            try:
                self.engine = Engine(self._directory, "tun")
            except NotStartedError:
                self.deaths += 1
                continue
            return


def write_plan(traps: Path, text: str) -> None:
    """All at once: half a plan would be none."""
    (traps / "new").write_text(text)
    (traps / "new").rename(traps / "crash")


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
    (traps / "crash").unlink(missing_ok=True)
    made.keep_alive()
    made.engine.end()


def test_an_engine_that_dies_at_any_moment_of_a_set_up_serves_the_subscriber_all_the_same(
    scene: Scene, cable: Cable
) -> None:
    scene.engine.serve("theo")
    quick = {"auth": ["pap"], "echo_interval": 1, "echo_failures": 2}
    scene.engine.ask("configure", generation=1, settings=quick)
    scene.engine.lead()
    scene.die_at(0)
    dial_until_up(scene, cable, 0)
    moments = scene.moments()
    assert {"before Port.send", "after Journal.commit", "before TunDataPath.flush"} <= set(moments)
    for number in range(1, len(moments) + 1):
        before = scene.deaths
        scene.die_at(number)
        dial_until_up(scene, cable, number)
        cable.until(partial(scene.dies_once, before))
        scene.moments()


def dial_until_up(scene: Scene, cable: Cable, number: int) -> None:
    """A subscriber dials, again whenever it is told that its session is over, until packets go to and fro.
    Then it leaves, and nothing of it is left.
    """
    theo = Subscriber(b"\x02\xc1\0\0\1" + bytes([number]), retry=0.2)
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
        scene.die_at(0)
        scene.succeed()
        moments = scene.moments()
        assert {"after Journal.load", "before TunDataPath.prune", "before Service.__init__"} <= set(moments)
        for number in range(1, len(moments) + 1):
            deaths = scene.deaths
            scene.die_at(number)
            scene.succeed()
            scene.moments()
            assert identities(scene) == before, f"{number}: {moments[number - 1]}"
            assert scene.deaths == deaths + 1
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
            write_plan(traps, "reconciler 0")
            apply(box, EDITED)
            (traps / "crash").unlink()
            moments = (traps / "moments").read_text().splitlines()
            assert {"after EngineClient.users", "before a commit", "after LinuxKernel.add_route"} <= set(
                moments
            )
            for number in range(1, len(moments) + 1):
                apply(box, SITE)
                write_plan(traps, f"reconciler {number}")
                box.edit(EDITED)
                assert box.processes[-1].wait(PATIENCE) == -signal.SIGKILL, moments[number - 1]
                box.start("--datapath", "tun")
                settled(box)
                assert box.engine.observe()["users"].keys() == {"theo", "yunhan"}
            assert (crowd.up, crowd.lost()) == (1, {}), "whom the edit does not name noticed nothing"
    finally:
        (traps / "crash").unlink(missing_ok=True)
        box.close()


def apply(box: Box, text: str) -> None:
    box.edit(text)
    box.client.post("/v1/apply", patience=PATIENCE)
    settled(box)


def settled(box: Box) -> None:
    status = box.until(
        lambda status: (
            condition(status, "Ready")[0]
            and status["generation"]["desired"] == status["generation"]["applied"]
        ),
        "the end of the apply",
    )
    assert (status["unpredicted_drops_total"], status["drift"]) == (0, [])
