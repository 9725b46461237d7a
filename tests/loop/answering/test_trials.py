"""A change on trial: in force until somebody confirms it, else undone, whatever happens meanwhile."""

from __future__ import annotations

import pytest

from reconciler.loop.answering.orders import CLAIM, OrderError
from tests.fakes.engine import password
from tests.loop.answering.orders import FIRST, MANY, SECOND, THIRD, condition, take, theo
from tests.loop.world import World


def test_a_change_that_nobody_confirms_is_undone_and_not_taken_again(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=120.0)
    world.step()
    assert theo(world) == password("three")
    assert condition(world, "Unconfirmed")[:2] == (True, "AwaitingConfirm")
    assert world.reconciler.due() == pytest.approx(120)
    world.orders.resume("ann")
    world.clock.now += 119
    world.step()
    assert theo(world) == password("three")
    world.clock.now += 1
    world.step()
    assert theo(world) == password("one")
    status, reason, message = condition(world, "Unconfirmed")
    assert (status, reason) == (True, "Undone")
    assert "generation 2 was not confirmed" in message
    assert world.conditions()["Ready"] == (False, "Undone")
    for _ in range(3):
        world.step()
    assert theo(world) == password("one"), "the same content is not applied again"
    world.restart()
    world.step()
    assert theo(world) == password("one"), "nor by the next process"
    world.edit(THIRD).settle()
    assert theo(world) == password("four")
    assert world.conditions()["Unconfirmed"] == (False, "NothingPending")
    assert world.conditions()["Ready"] == (True, "Converged")


def test_what_was_undone_is_applied_when_somebody_says_so(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=10.0)
    world.orders.resume("ann")
    world.clock.now += 10
    world.step()
    assert take(world) is None
    world.settle()
    assert theo(world) == password("three")


def test_a_confirmed_change_stays(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=10.0)
    world.step()
    assert world.orders.confirm("ann") is not None
    world.orders.resume("ann")
    world.clock.now += 3600
    assert world.settle()[-1].applied == 2
    assert theo(world) == password("three")
    assert world.orders.confirm("ann") is None


def test_the_undo_is_written_down_before_anything_is_done(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=120.0)
    world.restart()  # before the pass that would have applied it
    world.step()
    assert theo(world) == password("three")
    world.clock.now += 120
    world.restart()
    world.step()
    assert theo(world) == password("one")


def test_after_another_boot_it_is_undone_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=120.0)
    world.step()
    world.halt()
    world.boot("boot-2")
    world.step()
    assert theo(world) == password("one")
    assert world.conditions()["Unconfirmed"] == (True, "Undone")


def test_the_watch_takes_nothing_while_a_change_is_on_trial(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=120.0)
    world.orders.resume("ann")
    world.edit(THIRD).step()
    assert theo(world) == password("three")
    assert world.conditions()["Ready"] == (False, "AwaitingConfirm")
    with pytest.raises(OrderError, match="reconciler confirm"):
        take(world)
    world.orders.confirm("ann")
    world.settle()
    assert theo(world) == password("four")


def test_a_second_trial_goes_back_to_what_was_before_the_first(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=120.0)
    world.edit(THIRD).step()
    take(world, within=120.0)
    world.step()
    assert theo(world) == password("four")
    world.clock.now += 120
    world.step()
    assert theo(world) == password("one")


def test_a_second_trial_that_the_guard_holds_leaves_the_first_its_time(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(MANY).step()
    take(world, within=120.0)
    world.settle()
    world.edit(FIRST)
    assert take(world, within=600.0) is not None
    assert world.reconciler.due() == pytest.approx(120)
    world.clock.now += 120
    world.step()
    assert sorted(world.engine.users) == ["pablo", "theo"]


def test_the_same_trial_again_gives_more_time(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=120.0)
    world.clock.now += 100
    take(world, within=120.0)
    world.clock.now += 100
    world.step()
    assert theo(world) == password("three")
    world.clock.now += 20
    world.step()
    assert theo(world) == password("one")


def test_what_the_watch_took_a_moment_ago_can_still_be_put_on_trial(world: World) -> None:
    world.edit(SECOND).settle()
    world.clock.now += CLAIM - 1
    take(world, within=120.0)
    assert world.reconciler.course.bearing.pending is not None
    world.clock.now += 120
    world.step()
    assert theo(world) == password("one")


def test_what_is_in_force_for_long_is_not_put_on_trial(world: World) -> None:
    world.edit(SECOND).settle()
    world.clock.now += CLAIM
    assert take(world, within=120.0) is None
    assert world.reconciler.course.bearing.pending is None


def test_undone_before_its_time(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=120.0)
    world.step()
    world.orders.confirm("ann", undo=True)
    world.step()
    assert theo(world) == password("one")


def test_an_undo_is_not_held_by_the_guard(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(MANY).step()
    take(world, within=120.0)
    world.step()
    assert len(world.engine.users) == 10
    world.clock.now += 120
    world.step()
    assert sorted(world.engine.users) == ["pablo", "theo"]


def test_rollback_ends_a_trial(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=120.0)
    world.step()
    world.orders.rollback(1, "ann")
    world.clock.now += 3600
    world.step()
    assert theo(world) == password("one")
    assert condition(world, "Unconfirmed")[1] == "NothingPending"


def test_an_undo_that_cannot_be_read_is_said_and_tried_again(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    take(world, within=120.0)
    world.step()
    key = world.store.box.path
    key.rename(key.with_suffix(".away"))
    world.restart()
    world.clock.now += 120
    world.step()
    assert world.conditions()["Ready"] == (False, "UndoFailed")
    assert theo(world) == password("three")
    key.with_suffix(".away").replace(key)
    world.restart()
    world.step()
    assert theo(world) == password("one")
