"""What the hot paths cost, in instructions of the interpreter and in allocated blocks: counted, not timed, so
that a change which makes them dearer is seen on any machine, however busy.

The numbers kept are those of one Python version; ``UPDATE_GOLDEN=1`` renews them.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeVar

import pytest

from bench.edit import text
from bench.subscribers import STREETS, Street, user
from bench.world import SETTINGS, entry
from reconciler.engine import commands
from reconciler.engine.access.concentrator import Concentrator
from reconciler.engine.access.config import Config
from reconciler.engine.access.discovery import Listener
from reconciler.engine.access.effects import Effect, Send
from reconciler.engine.messages import Settings
from reconciler.site.load import Loader

KEPT: Final = Path(__file__).with_name("costs.json")
SLACK: Final = 0.02
"""So much more or less is no news."""

T = TypeVar("T")


def instructions(work: Callable[[], T]) -> tuple[int, T]:
    """How many instructions the interpreter carries out for ``work``."""
    count = 0

    def watch(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return watch

    before, collecting = sys.gettrace(), gc.isenabled()
    gc.disable()  # whoever watches it, as Hypothesis does, would be counted
    sys.settrace(watch)
    try:
        result = work()
    finally:
        sys.settrace(before)
        if collecting:
            gc.enable()
    return count, result


class Scene:
    """A concentrator with users, and a street of subscribers before it."""

    def __init__(self, method: str, users: int = 300) -> None:
        chance = random.Random(1)
        self.concentrator = Concentrator(chance.randbytes)
        settings: Settings = {**SETTINGS, "auth": [method]}  # type: ignore[list-item]
        self.concentrator.configure(Config().merged(settings), 1)
        known = [commands.user(entry(number)) for number in range(users)]
        self.concentrator.change_users(known, (), 1, 0.0)
        self.concentrator.listen(Listener("eth0", b"\x02\0\0\0\0\x01", 1500), 1)
        self.street: Street = STREETS[method]()

    def dial(self, number: int) -> None:
        """A subscriber dials in."""
        frames = [self.street.dial(number, 1.0)]
        while frames:
            frames += self._answers(self._received(frames.pop(0)))
        assert number in self.street.open

    def cost_of(self, frame: bytes) -> int:
        """The instructions that a frame takes the concentrator."""
        return instructions(lambda: self._received(frame))[0]

    def cost_of_dialling(self, number: int) -> int:
        spent, frames = 0, [self.street.dial(number, 1.0)]
        while frames:
            cost, effects = instructions(partial(self._received, frames.pop(0)))
            spent += cost
            frames += self._answers(effects)
        assert number in self.street.open
        return spent

    def _received(self, frame: bytes) -> list[Effect]:
        return self.concentrator.receive("eth0", frame, 1.0)

    def _answers(self, effects: list[Effect]) -> list[bytes]:
        sent = [effect.frame for effect in effects if isinstance(effect, Send)]
        return [answer for frame in sent for answer in self.street.receive(frame, 1.0)]


def settled(method: str) -> Scene:
    """One in which everything that is made once has been made."""
    scene = Scene(method)
    scene.dial(0)
    return scene


def per_user_of_an_edit() -> int:
    """What an edit of one user costs for each of those that stay as they are."""

    def edit(count: int) -> int:
        loader = Loader()
        loader.load(text(count, {}), "site.yaml")
        loader.load(text(count, {1: "another"}), "site.yaml")
        cost, loaded = instructions(lambda: loader.load(text(count, {2: "another"}), "site.yaml"))
        assert loaded.site is not None
        assert len(loaded.site.users) == count
        writing, _ = instructions(lambda: text(count, {2: "another"}))
        return cost - writing

    return (edit(600) - edit(300)) // 300


def blocks_of_a_session() -> int:
    """How many blocks of memory a session keeps."""
    scene = settled("pap")
    gc.collect()
    before = sys.getallocatedblocks()
    for number in range(1, 201):
        scene.dial(number)
    assert len(scene.concentrator) == 201
    scene.street = Street()
    gc.collect()
    return (sys.getallocatedblocks() - before) // 200


COSTS: Final[dict[str, Callable[[], int]]] = {
    "instructions of a set-up by pap": lambda: settled("pap").cost_of_dialling(1),
    "instructions of a set-up by chap": lambda: settled("chap").cost_of_dialling(1),
    "instructions of a set-up by mschapv2": lambda: settled("mschapv2").cost_of_dialling(1),
    "instructions of an echo": lambda: (scene := settled("pap")).cost_of(scene.street.ask(0, 1)),
    "instructions of a PADI": lambda: (scene := settled("pap")).cost_of(scene.street.dial(2, 1.0)),
    "instructions of an edit for each other user": per_user_of_an_edit,
    "blocks of a session": blocks_of_a_session,
}


@pytest.mark.parametrize("what", COSTS)
def test_a_hot_path_costs_what_it_did(what: str) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    kept: dict[str, Any] = json.loads(KEPT.read_text())
    cost = COSTS[what]()
    if os.environ.get("UPDATE_GOLDEN"):
        before = kept["costs"] if kept["python"] == version else {}
        renewed = {"python": version, "costs": {**before, what: cost}}
        KEPT.write_text(json.dumps(renewed, indent=1, sort_keys=True) + "\n")
        return
    if kept["python"] != version:
        pytest.skip(f"the numbers kept are those of Python {kept['python']}")
    was = kept["costs"][what]
    change = f"{what}: {cost:,} now, {was:,} before ({100 * (cost - was) / was:+.1f} %)"
    assert cost <= was * (1 + SLACK) + 1, f"{change}: mend it, or accept it by UPDATE_GOLDEN=1"
    assert cost >= was * (1 - 5 * SLACK) - 1, f"{change}: well done; keep it by UPDATE_GOLDEN=1"


def test_what_ends_leaves_nothing_for_the_garbage_collector() -> None:
    """The engine does not search for garbage among what has lived for a second."""
    scene = settled("chap")
    gc.collect()
    gc.disable()
    try:
        for number in range(1, 20):
            scene.dial(number)
        outcome = scene.concentrator.abandon("eth0", "interface_down", 2.0)
        assert len(outcome.ended) == 20
        del outcome
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_subscribers_of_the_benchmark_are_told_apart() -> None:
    assert len({user(number) for number in range(1000)}) == 1000
