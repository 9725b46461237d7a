"""Whoever is missing after an apply: was it us? With the real engine, which says why at the look that misses
them; events may come seconds later, or to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.loop.live import MACS, LiveWorld
from tests.peer import Subscriber

SITE = """\
version: 1
interface: eth1
local_ip: 10.0.0.1
pool_start: 10.0.0.8
pool_size: 8
users:
  theo: test
  pablo: test
"""
EDITED = SITE.replace("pool_size: 8", "pool_size: 16")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LiveWorld]:
    made = LiveWorld(tmp_path)
    yield made
    made.close()


@pytest.fixture
def theo(world: LiveWorld) -> Subscriber:
    """Somebody whose session no plan of these tests names."""
    world.edit(SITE).settle()
    subscriber = world.subscribers[MACS[0]]
    assert world.hosted.dial(subscriber, "eth1").state == "up"
    return subscriber


def meanwhile(world: LiveWorld, happens: Callable[[], object]) -> None:
    """Have something happen in the middle of an edit that names nobody."""

    def passed(what: str) -> None:
        if what == "after configure":
            world.undisturbed()
            happens()

    world.hosted.boundary = passed
    world.edit(EDITED).settle()


def say_goodbye_and_no_more(world: LiveWorld, theo: Subscriber) -> None:
    """Terminate-Request, without the PADT: the engine waits for that, and tells of the end seconds later."""
    goodbye = theo.hangup(world.hosted.now)
    theo.alive = False
    world.hosted._hear("eth1", goodbye)


def hang_up_on_nobody(world: LiveWorld, theo: Subscriber) -> None:
    """PADT, while nobody is connected who would be told of it."""
    world.hosted.on_event = lambda _event: None
    world.hosted.hang_up(theo, "eth1", polite=False)


def die_and_be_missed(world: LiveWorld, theo: Subscriber) -> None:
    """No word, no answer to any echo: the engine says goodbye, and waits for an answer to that, too."""
    theo.alive = False
    until_ending(world, theo)


def until_ending(world: LiveWorld, theo: Subscriber) -> None:
    for _ in range(600):
        world.hosted.advance(0.5)
        (view,) = (
            session
            for session in world.supervisor.client.observe()["sessions"]
            if session["mac"] == theo.mac.hex(":")
        )
        if view["state"] == "terminate":
            return
    raise AssertionError("nobody missed it")


@pytest.mark.parametrize("leave", [say_goodbye_and_no_more, hang_up_on_nobody, die_and_be_missed])
def test_whoever_leaves_by_itself_during_an_apply_was_not_dropped_by_it(
    world: LiveWorld, theo: Subscriber, leave: Callable[[LiveWorld, Subscriber], None]
) -> None:
    meanwhile(world, lambda: leave(world, theo))
    assert world.sessions() == {}
    assert world.board.unpredicted_drops == 0


def test_whoever_hangs_up_between_the_look_and_the_apply_was_not_dropped_by_it(
    world: LiveWorld, theo: Subscriber
) -> None:
    """Its end is told before anything is carried out."""

    def passed(what: str) -> None:
        if what == "after observe":
            world.undisturbed()
            world.hosted.hang_up(theo, "eth1", polite=False)

    world.hosted.boundary = passed
    world.edit(EDITED).settle()
    assert world.sessions() == {}
    assert world.board.unpredicted_drops == 0


@pytest.mark.parametrize("reason", ["user_removed", "sessions_lowered"])
def test_who_is_dropped_unnamed_is_said_with_all_that_is_known(
    world: LiveWorld, theo: Subscriber, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    session = next(iter(world.hosted.up()))
    meanwhile(
        world,
        lambda: world.hosted.host.perform(
            world.hosted.host.concentrator.terminate([session.key], reason, world.hosted.now).effects
        ),
    )
    assert world.board.unpredicted_drops == 1
    (told,) = [entry.event for entry in world.events.after(0) if entry.event["type"] == "unpredicted_drop"]
    who = f"session 0x{theo.session_id:04x} theo on eth1 ({theo.mac.hex(':')})"
    assert told["reason"].startswith(f"{who} ended though no plan named it: {reason}; seen ")
    assert told["reason"] in caplog.text
