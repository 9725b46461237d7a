"""A change that takes away too much waits for somebody, and what was in force stays in force meanwhile."""

from __future__ import annotations

import pytest

from reconciler.linux.sysctl import IP_FORWARD
from reconciler.loop.report import Blocked, Report, Settled
from tests.fakes.engine import RefusalError
from tests.loop.world import World, paths

NAMES = [f"u{number}" for number in range(10)]


def site(users: list[str], *more: str) -> str:
    lines = [f"  {name}: secret-{name}" for name in users]
    head = "version: 1\ninterface: eth1\nlocal_ip: 10.0.0.1\npool_start: 10.0.0.8\npool_size: 16\n"
    return (
        head
        + "".join(f"{line}\n" for line in ("forwarding: {ip_forward: true}", *more))
        + "\n".join(["users:", *lines, ""])
    )


WHOLE, CUT = site(NAMES), site(NAMES[:4])


@pytest.fixture
def world(world: World) -> World:
    world.edit(WHOLE).settle()
    return world


def held(world: World, text: str = CUT) -> Report:
    report = world.edit(text).step()
    assert report.held is not None
    return report


def plan_id(report: Report) -> str:
    assert report.held is not None
    return report.held.plan.id


def test_a_change_past_the_limit_is_not_applied_at_all(world: World) -> None:
    session = world.engine.dial("u9")
    world.engine.requests.clear()
    report = held(world, site(NAMES[:4], "mtu: 1400"))
    assert isinstance(report.end, Blocked)
    assert (report.desired, report.applied) == (2, 1)
    assert {request["do"] for request in world.engine.requests} <= {"hello", "observe"}
    assert world.engine.live() == [session]
    conditions = {one.type: one for one in world.board.conditions}
    assert (conditions["Ready"].status, conditions["Ready"].reason) == (False, "Held")
    assert (conditions["Held"].status, conditions["Held"].reason) == (True, "GuardExceeded")
    assert plan_id(report) in conditions["Held"].message
    assert "revokes 6 of 10 users (limit 20 %)" in conditions["Held"].message


def test_being_held_is_told_once(world: World) -> None:
    held(world)
    world.step()
    told = [entry.event["type"] for entry in world.events.after(0)]
    assert told.count("change_held") == 1
    world.edit(WHOLE).settle()
    told = [entry.event["type"] for entry in world.events.after(0)]
    assert told.count("hold_ended") == 1


def test_what_drifts_meanwhile_is_put_back_to_what_was_in_force(world: World) -> None:
    held(world)
    world.kernel.values[IP_FORWARD] = 0
    world.engine.users.pop("u9")
    report = world.step()
    assert paths(report) == ["heal forwarding.ip_forward", "heal users.u9"]
    assert world.kernel.values[IP_FORWARD] == 1
    assert sorted(world.engine.users) == NAMES
    assert world.conditions()["Held"][0]


def test_reverting_the_edit_ends_it(world: World) -> None:
    held(world)
    assert world.edit(WHOLE).settle()[-1].end == Settled()
    assert world.conditions()["Held"] == (False, "NotHeld")
    assert world.conditions()["Ready"] == (True, "Converged")
    assert sorted(world.engine.users) == NAMES


def test_a_smaller_edit_is_applied(world: World) -> None:
    held(world)
    world.edit(site(NAMES[:7])).settle()
    assert sorted(world.engine.users) == NAMES[:7]


def test_released_it_is_applied_by_its_id_alone(world: World) -> None:
    report = held(world)
    assert not world.reconciler.release("000000000000")
    assert world.step().held is not None
    assert world.reconciler.release(plan_id(report))
    assert world.settle()[0].held is None
    assert sorted(world.engine.users) == NAMES[:4]
    assert world.conditions()["Ready"] == (True, "Converged")


def test_an_id_releases_no_other_change(world: World) -> None:
    report = held(world)
    held(world, site(NAMES[:3]))
    assert not world.reconciler.release(plan_id(report))
    assert sorted(world.engine.users) == NAMES


def test_a_session_that_ends_leaves_the_id_good_and_one_that_begins_does_not(world: World) -> None:
    session = world.engine.dial("u9")
    first = held(world)
    world.engine.hang_up(session)
    assert plan_id(world.step()) == plan_id(first)
    world.engine.dial("u8")
    assert not world.reconciler.release(plan_id(first))
    second = world.step()
    assert plan_id(second) != plan_id(first)
    assert world.reconciler.release(plan_id(second))


def test_an_edit_does_not_loosen_its_own_guard(world: World) -> None:
    loose = "guard: {max_users_removed: 100%, max_sessions_dropped: 100%}"
    report = held(world, site(NAMES[:4], loose))
    assert world.reconciler.release(plan_id(report))
    world.settle()
    world.edit(WHOLE).settle()
    world.edit(site(NAMES, loose)).settle()
    assert world.edit(site(NAMES[:4], loose)).settle()[0].held is None


def test_the_plan_of_a_dry_run_can_be_released(world: World) -> None:
    plan, verdict = world.reconciler.plan(world.reconciler.understand(CUT.encode(), world.path))
    assert verdict.held
    held(world)
    assert world.reconciler.release(plan.id)


def test_a_candidate_in_a_dry_run_is_not_released(world: World) -> None:
    plan, _ = world.reconciler.plan(world.reconciler.understand(CUT.encode(), world.path))
    assert not world.reconciler.release(plan.id)
    assert sorted(world.engine.users) == NAMES


def test_what_was_let_through_and_is_not_done_yet_is_not_said_to_be_held(world: World) -> None:
    assert world.reconciler.release(plan_id(held(world)))
    world.engine.faults["users"] = [RefusalError("failed", "by chance")]
    assert world.step().failures
    world.restart()
    plan, verdict = world.reconciler.plan(world.reconciler.understand(CUT.encode(), world.path))
    assert plan
    assert not verdict.held
    assert verdict.line == (
        "guard: revokes 6 of 10 users (limit 20 %), drops 0 of 0 sessions (limit 20 %): let through before"
    )
    world.orders.pause(None, "", "ann")
    assert world.orders.take("ann") is None
    world.settle()
    assert sorted(world.engine.users) == NAMES[:4]


def test_dropping_many_sessions_is_held_though_few_users_go(world: World) -> None:
    many = site(NAMES).replace("  u0: secret-u0", "  u0: {password: secret-u0, sessions: 9}")
    world.edit(many).settle()
    for number in range(6):
        world.engine.dial("u0", mac=f"02:00:00:00:01:{number:02x}")
    report = held(world, site(NAMES[1:]))
    assert report.held is not None
    assert (report.held.verdict.users_removed, report.held.verdict.sessions_dropped) == (1, 6)
    assert len(world.engine.live()) == 6


def test_after_a_restart_it_is_still_held_and_only_what_moved_is_put_back(world: World) -> None:
    held(world)
    world.restart()
    world.kernel.values[IP_FORWARD] = 0
    for _ in range(3):
        report = world.step()
        assert report.held is not None
    assert world.kernel.values[IP_FORWARD] == 1
    assert sorted(world.engine.users) == NAMES
    assert world.reconciler.release(plan_id(report))
    world.settle()
    assert sorted(world.engine.users) == NAMES[:4]


def test_a_new_engine_with_the_old_users_is_guarded_too(world: World) -> None:
    world.halt()
    world.engine.pid += 1
    world.boot()
    for _ in range(3):
        report = held(world)
    assert sorted(world.engine.users) == NAMES
    assert (report.desired, report.applied) == (2, 1)


def test_an_empty_engine_gets_everything(world: World) -> None:
    world.halt()
    world.engine.pid += 1
    world.engine.users.clear()
    world.boot()
    world.edit(CUT).settle()
    assert sorted(world.engine.users) == NAMES[:4]
