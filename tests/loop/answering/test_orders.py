"""What operators order beside the file: pause, roll back, apply a saved plan. None of it is forgotten by a
restart, and what is in force stays true meanwhile.
"""

from __future__ import annotations

import math
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest

from reconciler.linux.sysctl import IP_FORWARD
from reconciler.loop.answering.orders import OrderError
from reconciler.loop.gate import StalePlanError
from reconciler.loop.keeping.store import StoreError
from reconciler.loop.report import Blocked, Settled
from reconciler.plan.render import as_json
from tests.fakes.engine import password
from tests.loop.answering.orders import FIRST, MANY, SECOND, THIRD, condition, take, theo, told
from tests.loop.world import World


@contextmanager
def no_room(world: World) -> Iterator[None]:
    """What is to be written down finds the disk full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    written = (world.directory / "state" / "state.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# Pause.


def test_an_edit_waits_while_paused_and_is_applied_on_resume(world: World) -> None:
    world.orders.pause(None, "maintenance", "ann")
    report = world.edit(SECOND).step()
    assert theo(world) == password("one")
    assert isinstance(report.end, Blocked)
    assert report.end.reason == "Paused"
    status, reason, message = condition(world, "Paused")
    assert (status, reason) == (True, "Operator")
    assert "ann" in message
    assert "maintenance" in message
    assert world.conditions()["Ready"] == (False, "Paused")
    world.orders.resume("ann")
    assert world.settle()[-1].end == Settled()
    assert theo(world) == password("three")
    assert world.conditions()["Paused"] == (False, "NotPaused")
    assert [kind for kind in told(world) if kind in {"paused", "resumed"}] == ["paused", "resumed"]


def test_a_paused_file_that_says_what_is_in_force_is_ready(world: World) -> None:
    world.orders.pause(None, "", "ann")
    assert world.step().end == Settled()
    assert world.conditions()["Ready"] == (True, "Converged")


def test_an_order_that_cannot_be_written_down_is_refused_and_never_comes_true(world: World) -> None:
    world.edit(SECOND).settle()
    with no_room(world):
        with pytest.raises(StoreError, match="room"):
            world.orders.rollback(1, "ann")
        with pytest.raises(StoreError, match="room"):
            world.orders.pause(None, "maintenance", "ann")
    assert world.step().end == Settled()
    assert world.conditions()["Paused"] == (False, "NotPaused")
    assert theo(world) == password("three")


def test_what_drifts_while_paused_is_put_back(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    world.kernel.values[IP_FORWARD] = 0
    world.engine.users.pop("pablo")
    world.step()
    assert world.kernel.values[IP_FORWARD] == 1
    assert sorted(world.engine.users) == ["pablo", "theo"]
    assert theo(world) == password("one")


def test_a_pause_outlives_a_restart(world: World) -> None:
    world.orders.pause(3600, "", "ann")
    world.restart()
    world.engine.users.clear()
    world.edit(SECOND).step()
    assert theo(world) == password("one"), "and the last good generation is known to the new process"
    assert world.conditions()["Paused"] == (True, "Operator")


def test_a_pause_that_runs_out_ends_by_itself(world: World) -> None:
    world.orders.pause(3600, "", "ann")
    world.edit(SECOND).step()
    assert world.reconciler.due() == pytest.approx(3600)
    world.clock.now += 3600
    world.settle()
    assert theo(world) == password("three")
    assert world.reconciler.due() == math.inf
    assert told(world)[-1] != "paused"


def test_an_apply_by_hand_goes_through_while_paused_and_the_pause_stays(world: World) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    assert take(world) is None
    world.settle()
    assert theo(world) == password("three")
    world.edit(THIRD).step()
    assert theo(world) == password("three")
    assert world.conditions()["Paused"][0]


def test_an_apply_by_hand_is_guarded_while_paused_too(world: World) -> None:
    world.edit(MANY).settle()
    world.orders.pause(None, "", "ann")
    world.edit(FIRST).step()
    held = take(world)
    assert held is not None
    assert len(world.engine.users) == 10
    with pytest.raises(StalePlanError):
        take(world, allow="0123456789ab")
    assert take(world, allow=held.plan.id) is None
    world.settle()
    assert sorted(world.engine.users) == ["pablo", "theo"]


# Rollback.


def test_rollback_brings_a_user_back_and_touches_nobody_else(world: World) -> None:
    gone = FIRST.replace("  pablo:\n    password: two\n    ip: 10.0.1.9\n", "")
    world.edit(gone).settle()
    session = world.engine.dial("theo")
    assert world.orders.rollback(1, "ann") is None
    report = world.step()
    assert report.plan is not None
    assert [
        (change.op, change.path) for change in report.plan.changes if change.path.startswith("users.")
    ] == [("add", "users.pablo")]
    assert world.engine.users["pablo"]["secret"] == password("two")
    assert world.engine.live() == [session]
    assert condition(world, "Paused")[:2] == (True, "RolledBack")
    assert world.conditions()["Ready"] == (False, "Paused"), "the file still says otherwise"
    found = world.reconciler.history.generation(3)
    assert found is not None
    assert found.cause == ("rollback", 1, "ann")
    assert found.applied is not None


def test_a_reverted_file_and_resume_change_nothing_more(world: World) -> None:
    world.edit(SECOND).settle()
    world.orders.rollback(1, "ann")
    world.step()
    world.edit(FIRST)
    world.orders.resume("ann")
    report = world.step()
    assert report.end == Settled()
    assert report.plan is not None
    assert not report.plan
    assert report.applied == 3


def test_resume_after_a_rollback_applies_the_file_as_a_new_generation(world: World) -> None:
    world.edit(SECOND).settle()
    world.orders.rollback(1, "ann")
    world.step()
    assert theo(world) == password("one")
    world.orders.resume("ann")
    assert world.settle()[-1].applied == 4
    assert theo(world) == password("three")


def test_rollback_is_guarded_like_an_edit(world: World) -> None:
    world.edit(MANY).settle()
    held = world.orders.rollback(1, "ann")
    assert held is not None
    world.step()
    assert len(world.engine.users) == 10
    assert not world.conditions()["Paused"][0], "nothing was done"
    assert world.orders.rollback(1, "ann", held.plan.id) is None
    world.step()
    assert sorted(world.engine.users) == ["pablo", "theo"]


def test_rollback_to_what_is_not_there_is_an_error_that_says_where_to_look(world: World) -> None:
    with pytest.raises(OrderError, match="reconciler history") as caught:
        world.orders.rollback(7, "ann")
    assert caught.value.code == "not_kept"


def test_a_generation_is_kept_with_the_passwords_that_its_files_held(world: World) -> None:
    secret = world.directory / "theo.secret"
    secret.write_text("first")
    secret.chmod(0o600)
    world.edit(FIRST.replace("theo: one", "theo: {password_file: theo.secret}")).settle()
    secret.write_text("second")
    world.settle()
    assert theo(world) == password("second")
    secret.unlink()
    world.orders.rollback(2, "ann")
    world.step()
    assert theo(world) == password("first")


# Saved plans.


def saved(world: World, text: str) -> dict[str, object]:
    goal = world.reconciler.understand(text.encode(), world.path)
    plan, _ = world.reconciler.plan(goal)
    return {"sha256": source_hash(text), "plan": as_json(plan)}


def source_hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_a_saved_plan_is_applied_as_long_as_nothing_moved(world: World) -> None:
    world.orders.pause(None, "", "ann")
    plan = saved(world, SECOND)
    world.edit(SECOND).step()
    assert take(world, saved=plan) is None
    world.settle()
    assert theo(world) == password("three")
    with pytest.raises(StalePlanError):
        take(world, saved=plan)


def test_a_saved_plan_is_stale_when_the_file_moved(world: World) -> None:
    world.orders.pause(None, "", "ann")
    plan = saved(world, SECOND)
    world.edit(THIRD).step()
    with pytest.raises(StalePlanError, match="not what would be done now"):
        take(world, saved=plan)
    assert theo(world) == password("one")


def test_a_saved_plan_is_stale_when_it_would_end_somebody_it_did_not_name(world: World) -> None:
    world.orders.pause(None, "", "ann")
    gone = FIRST.replace("  pablo:\n    password: two\n    ip: 10.0.1.9\n", "")
    theirs = world.engine.dial("theo")
    plan = saved(world, gone)
    world.edit(gone).step()
    world.engine.hang_up(theirs)
    world.engine.dial("pablo")
    with pytest.raises(StalePlanError):
        take(world, saved=plan)


def test_who_has_hung_up_since_makes_no_plan_stale(world: World) -> None:
    world.orders.pause(None, "", "ann")
    gone = FIRST.replace("  pablo:\n    password: two\n    ip: 10.0.1.9\n", "")
    session = world.engine.dial("pablo")
    plan = saved(world, gone)
    world.edit(gone).step()
    world.engine.hang_up(session)
    assert take(world, saved=plan) is None


@pytest.mark.parametrize("broken", [{}, {"changes": None}, {"base_generation": 1, "changes": [{}]}])
def test_what_is_no_plan_is_stale(world: World, broken: dict[str, object]) -> None:
    world.orders.pause(None, "", "ann")
    world.edit(SECOND).step()
    with pytest.raises(StalePlanError):
        take(world, saved={"sha256": source_hash(SECOND), "plan": broken})
