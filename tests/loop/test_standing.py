"""What was let through stands: in spite of a broken file, a restart, and half of the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.linux.sysctl import IP_FORWARD
from reconciler.loop.keeping.archive import NotKeptError
from reconciler.loop.keeping.content import ForeignContentError, pack, unpack
from reconciler.loop.report import Settled
from tests.fakes.engine import RefusalError, password
from tests.loop.world import SITE, World

SECRET = "open-sesame-0815"
FIRST = SITE.replace("one", SECRET) + "forwarding: {ip_forward: true}\n"
BROKEN = "users: {"


@pytest.fixture
def world(world: World) -> World:
    world.edit(FIRST).settle()
    return world


@pytest.mark.parametrize("text", [BROKEN, "", "version: 1\n", None])
def test_after_a_restart_the_last_good_generation_is_enforced_whatever_the_file_says(
    world: World, text: str | None
) -> None:
    if text is None:
        world.path.unlink()
    else:
        world.edit(text)
    world.restart()
    world.engine.users.clear()
    world.kernel.values[IP_FORWARD] = 0
    for _ in range(3):
        world.step()
        world.clock.now += 1
    assert world.engine.users["theo"]["secret"] == password(SECRET)
    assert world.kernel.values[IP_FORWARD] == 1
    found = {one.type: one for one in world.board.conditions}["SourceInvalid"]
    assert found.status
    assert found.message.endswith("generation 1 stays in force")
    assert world.conditions()["Ready"] == (False, "SourceInvalid")


def test_without_room_for_the_state_what_stands_is_kept_and_the_edit_waits(world: World) -> None:
    session = world.engine.dial("pablo")
    world.settle()
    room = world.store._database
    room.execute("PRAGMA max_page_count = 1")
    comment = "".join(f"# {os.urandom(40).hex()}\n" for _ in range(1000))
    world.edit(comment + FIRST.replace("    ip: 10.0.1.9\n", "    ip: 10.0.1.9\n    enabled: false\n"))
    world.kernel.values[IP_FORWARD] = 0
    for _ in range(3):
        world.step()
        world.clock.now += 1
    ready = {one.type: one for one in world.board.conditions}["Ready"]
    assert (ready.status, ready.reason) == (False, "StateFailed")
    assert "full" in ready.message
    assert ready.message.endswith("; generation 1 stays in force")
    assert world.engine.live() == [session]
    assert world.kernel.values[IP_FORWARD] == 1, "drift is put back all the same"
    room.execute("PRAGMA max_page_count = 100000")
    world.settle()
    assert world.engine.live() == []


def test_a_new_engine_gets_it_too(world: World) -> None:
    world.edit(BROKEN)
    world.halt()
    world.engine.pid += 1
    world.engine.users.clear()
    world.engine.listeners.clear()
    world.boot()
    for _ in range(3):
        world.step()
        world.clock.now += 1
    assert sorted(world.engine.users) == ["pablo", "theo"]
    assert world.engine.listeners


def test_with_nothing_in_force_before_a_broken_file_does_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.edit(BROKEN).step()
    report = world.step()
    assert world.conditions()["Ready"] == (False, "SourceInvalid")
    assert report.standing == 0
    assert world.engine.users == {}
    world.close()


def test_what_was_cut_off_halfway_is_carried_on_without_the_file(world: World) -> None:
    world.engine.faults["users"] = [RefusalError("failed", "by chance")]
    world.edit(FIRST.replace("theo", "cleo") + "mtu: 1400\n")
    world.step()
    assert "cleo" not in world.engine.users
    world.edit(BROKEN)
    world.restart()
    for _ in range(3):
        world.step()
        world.clock.now += 40
    assert sorted(world.engine.users) == ["cleo", "pablo"]


def test_a_generation_let_through_is_not_judged_again_after_a_restart(world: World) -> None:
    many = FIRST.replace("users:\n", "users:\n" + "".join(f"  u{number}: x\n" for number in range(8)))
    world.edit(many).settle()
    report = world.edit(FIRST).step()
    assert report.held is not None
    world.engine.faults["users"] = [RefusalError("failed", "by chance")]
    assert world.reconciler.release(report.held.plan.id)
    world.step()
    assert len(world.engine.users) == 10
    world.restart()
    world.clock.now += 60
    assert isinstance(world.settle()[-1].end, Settled)
    assert sorted(world.engine.users) == ["pablo", "theo"]


def test_without_the_box_key_only_what_moved_is_put_back_and_it_is_said(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.store.box.path.unlink()
    world.edit(FIRST.replace("theo", "cleo").replace("pablo", "pia") + "pool_end: 3\n")
    world.restart()
    for _ in range(2):
        world.step()
        world.clock.now += 1
    assert sorted(world.engine.users) == ["pablo", "theo"]
    assert "only what moved by itself is put back" in caplog.text


def test_an_open_key_file_keeps_nobody_from_being_served(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.store.box.path.chmod(0o644)
    world.restart()
    world.edit(SITE.replace("one", "three")).settle()
    assert world.engine.users["theo"]["secret"] == password("three")
    assert "generation 2 cannot be gone back to" in caplog.text
    with pytest.raises(NotKeptError):
        world.reconciler.archive.goal(2)


def test_no_secret_lies_in_clear_and_none_is_in_a_repr(world: World) -> None:
    world.halt()
    for path in (world.directory / "state").iterdir():
        assert SECRET.encode() not in path.read_bytes(), path.name
    world.boot()
    goal = world.reconciler.archive.goal(1)
    assert SECRET not in repr(goal)
    assert SECRET not in repr(unpack(pack(goal)))
    assert goal.content == FIRST.encode()


@pytest.mark.parametrize("octets", [b"", b"x", pack.__name__.encode()])
def test_what_is_no_content_is_said_to_be_damaged(octets: bytes) -> None:
    with pytest.raises(ForeignContentError, match="damaged"):
        unpack(octets)


def test_what_is_told_of_a_generation_is_its_plan_and_what_came_of_it(world: World) -> None:
    world.engine.dial("pablo")
    world.edit(FIRST.replace("  pablo:\n    password: two\n    ip: 10.0.1.9\n", "")).settle()
    told = world.reconciler.archive.told(2)
    assert "- user pablo" in told["text"]
    assert (told["sessions_ended"], told["failures"]) == (1, [])
    world.restart()
    assert world.reconciler.archive.told(2) == told


def test_what_another_version_had_other_words_for_is_still_the_same_wish(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(FIRST.replace("theo", "cleo")).step()
    world.orders.await_writer()
    world.orders.take("ann", within=60.0)
    world.orders.resume("ann")
    world.clock.now += 60
    world.step()
    assert "theo" in world.engine.users
    with world.store.transaction() as database:
        database.execute("UPDATE generation SET digest = 'of another version' || number")
    world.restart()
    world.step()
    assert "theo" in world.engine.users, "what was undone is not taken again by an upgrade"
    world.edit(FIRST)
    world.orders.pause(None, "", "ann")
    assert world.step().end == Settled(), "the file says what stands"
