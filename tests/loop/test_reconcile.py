"""Passes over a whole small world: they converge, touch only what was edited, heal, and say what stands in
the way.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.engine.messages import EventType
from reconciler.linux.sysctl import IP_FORWARD
from reconciler.loop.report import Again, Blocked, Settled
from tests.fakes.engine import FakeEngine, RefusalError, password
from tests.loop.world import SITE, World, paths

PABLO = "  pablo:\n    password: two\n    ip: 10.0.1.9\n"
FORWARDING = "forwarding: {ip_forward: true}\n"


def test_from_nothing_to_settled_and_then_nothing_to_do(world: World) -> None:
    report = world.edit().step()
    assert report.end == Settled()
    assert (report.desired, report.applied, report.newly_applied) == (1, 1, True)
    assert "add users.theo" in paths(report)
    again = world.step()
    assert paths(again) == []
    assert not again.newly_applied
    assert world.conditions()["Ready"] == (True, "Converged")


def test_an_edit_touches_only_what_it_names(world: World) -> None:
    world.edit().settle()
    theo, pablo = world.engine.dial("theo"), world.engine.dial("pablo")
    world.engine.requests.clear()
    report = world.edit(SITE.replace(PABLO, "")).settle()[0]
    assert paths(report) == ["remove users.pablo"]
    assert report.plan is not None
    assert [session.id for session in report.plan.dropped] == [pablo["id"]]
    assert [session["id"] for session in world.engine.live()] == [theo["id"]]
    assert report.breaches == ()
    assert world.board.unpredicted_drops == 0
    asked = [request["do"] for request in world.engine.requests if request["do"] != "observe"]
    assert [do for do in asked if do not in {"hello", "configure"}] == ["users"]


def test_removed_user_is_placed_in_the_file_before(world: World) -> None:
    world.edit().settle()
    report = world.edit(SITE.replace(PABLO, "")).step()
    assert report.plan is not None
    assert report.plan.changes[0].where is not None
    assert report.plan.changes[0].where.line == 8


def test_waits_for_sessions_to_end_and_then_takes_their_route_away(world: World) -> None:
    world.edit().settle()
    world.engine.polite = True
    world.engine.dial("pablo")
    first = world.edit(SITE.replace(PABLO, "")).step()
    assert isinstance(first.end, Again)
    assert world.conditions()["Ready"][0] is False
    second = world.step()
    assert second.end == Again(0.1, "SessionsEnding", "sessions being ended: 1")
    world.engine.hang_up_ended()
    world.settle()
    assert world.kernel.routes == {"10.0.0.8/29"}


def test_a_route_made_for_a_session_that_then_ended_is_no_trouble_and_no_drift(world: World) -> None:
    both = SITE + "  yunhan: {password: three, ip: 10.0.1.8}\n"
    world.edit(both).settle()
    assert "10.0.1.8/31" in world.kernel.routes
    world.engine.dial("pablo")
    reports = world.edit(SITE.replace(PABLO, "")).settle()
    assert "add kernel.route.10.0.1.9/32" in paths(reports[0])
    assert reports[0].end == Again(0.1, "MoreToDo", "something changed meanwhile")
    assert paths(reports[1]) == ["remove kernel.route.10.0.1.9/32"]
    assert world.kernel.routes == {"10.0.0.8/29"}
    assert world.reconciler.ledger.entries == ()


def test_bad_file_touches_nothing_and_healing_goes_on(world: World) -> None:
    world.edit(SITE + FORWARDING).settle()
    session = world.engine.dial("theo")
    for text in ("", "users: [", "version: 1\nusers: {}\n"):
        world.edit(text).settle(3)
        assert world.conditions()["SourceInvalid"] == (True, "Findings")
        assert world.conditions()["Ready"] == (False, "SourceInvalid")
        assert world.engine.live() == [session]
        world.kernel.values[IP_FORWARD] = 0
        world.clock.now += 3600
        world.settle()
        assert world.kernel.values[IP_FORWARD] == 1
    world.edit(SITE + FORWARDING).settle()
    assert world.conditions()["Ready"] == (True, "Converged")
    assert world.conditions()["SourceInvalid"] == (False, "Valid")
    assert world.step().desired == 1, "the same wish is the same generation"


def test_removed_file_touches_nothing(world: World) -> None:
    world.edit().settle()
    world.path.unlink()
    world.settle()
    assert world.conditions()["SourceInvalid"] == (True, "NotFound")
    assert sorted(world.engine.users) == ["pablo", "theo"]


def test_file_that_is_bad_for_a_moment_is_not_reported(world: World) -> None:
    world.edit().settle()
    world.edit("")
    report = world.step()
    assert isinstance(report.end, Again)
    assert world.conditions()["Ready"] == (True, "Converged")
    world.edit(SITE.replace("theo: one", "theo: three")).settle()
    assert world.conditions()["SourceInvalid"] == (False, "Valid")
    assert world.engine.users["theo"]["secret"] == password("three")


def test_file_that_is_still_being_written_is_not_applied(world: World) -> None:
    world.edit().settle()
    cut = SITE.replace(PABLO, "")
    with world.path.open("w") as writer:
        writer.write(cut)
        writer.flush()
        report = world.step()
        assert report.end == Again(0.1, "SourceUnsettled", "the file is being written")
        writer.write(PABLO)
    assert paths(world.settle()[0]) == []
    assert "pablo" in world.engine.users


def test_file_that_somebody_keeps_open_is_taken_in_the_end(world: World) -> None:
    world.edit().settle()
    with world.path.open("a") as holder:
        holder.write("  yunhan: three\n")
        holder.flush()
        world.step()
        world.clock.now += 11
        world.settle()
    assert "yunhan" in world.engine.users


def test_no_good_file_at_the_start_touches_nothing(world: World) -> None:
    world.edit("nonsense")
    world.step()
    report = world.step()
    assert isinstance(report.end, Blocked)
    assert report.end.reason == "SourceInvalid"
    assert world.engine.requests == [] or {r["do"] for r in world.engine.requests} == {"follow"}


def test_hand_made_change_is_put_back_and_reported(world: World) -> None:
    world.edit(SITE + FORWARDING).settle()
    world.kernel.values[IP_FORWARD] = 0
    report = world.step()
    assert paths(report) == ["heal forwarding.ip_forward"]
    assert world.kernel.values[IP_FORWARD] == 1
    assert report.desired == 1
    entry = world.reconciler.ledger.entries[0]
    assert (entry.path, entry.found, entry.wanted) == ("forwarding.ip_forward", False, True)
    assert entry.healed is not None
    assert world.conditions()["Drifted"] == (False, "Healed")
    kinds = [numbered.event["type"] for numbered in world.events.after(0)]
    assert kinds[-2:] == ["drift_found", "drift_healed"]


def test_two_programs_that_disagree_do_not_fight_at_full_speed(world: World) -> None:
    world.edit(SITE + FORWARDING).settle()
    pauses: list[float] = []
    for _ in range(5):
        world.kernel.values[IP_FORWARD] = 0
        report = world.step()
        if isinstance(report.end, Again):
            pauses.append(report.end.after)
            assert world.conditions()["Drifted"] == (True, "Contested")
            world.clock.now += report.end.after
            assert world.step().end == Settled()
    assert pauses == [1.0, 2.0, 4.0, 8.0]


def test_route_of_somebody_else_on_our_device_is_drift(world: World) -> None:
    world.edit().settle()
    world.kernel.routes.add("192.0.2.0/24")
    assert paths(world.step()) == ["heal kernel.route.192.0.2.0/24"]
    assert "192.0.2.0/24" not in world.kernel.routes


def test_user_that_vanished_from_the_engine_is_put_back(world: World) -> None:
    world.edit().settle()
    del world.engine.users["theo"]
    assert paths(world.step()) == ["heal users.theo"]
    assert world.engine.users["theo"]["secret"] == password("one")


def test_engine_that_was_replaced_is_set_up_anew_and_that_is_no_drift(world: World) -> None:
    world.edit(SITE + FORWARDING).settle()
    world.engine.stop()
    world.kernel.addresses.clear()
    world.kernel.routes.clear()
    world.engine = FakeEngine(world.directory, device="tun0").start()
    world.engine.pid = 4711
    report = world.settle()[-1]
    ops = {line.split()[0] for line in paths(report)}
    assert ops == {"add"}
    assert report.drifted == ()
    assert report.desired == 1
    assert world.engine.users["theo"]["secret"] == password("one")


def test_missing_interface_is_waited_for_and_the_rest_is_served(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.edit(SITE.replace("interface: eth1", "interface: [eth1, usb0]"))
    report = world.step()
    assert isinstance(report.end, Blocked)
    assert report.end.reason == "InterfaceMissing"
    assert "usb0" in report.end.message
    assert world.engine.listeners == ["eth1"]
    world.engine.interfaces["usb0"] = True
    world.kernel.plug_in("usb0")
    assert world.step().end == Settled()
    assert world.engine.listeners == ["eth1", "usb0"]
    world.close()


def test_failed_steps_are_retried_with_growing_pauses(world: World) -> None:
    world.kernel.faults["add_route"] = 99
    pauses = [world.board.take(world.edit().reconciler.run(), {}, 0.0) for _ in range(4)]
    assert pauses == [0.2, 0.4, 0.8, 1.6]
    assert world.conditions()["Ready"] == (False, "RouteFailed")
    world.kernel.faults["add_route"] = 0
    assert world.board.take(world.reconciler.run(), {}, 0.0) == float("inf")
    assert world.conditions()["Ready"] == (True, "Converged")


def test_failed_route_does_not_keep_a_revoked_user_online(world: World) -> None:
    world.edit().settle()
    world.engine.dial("pablo")
    world.kernel.faults["add_route"] = 1
    world.edit(SITE.replace(PABLO, "").replace("pool_start: 10.0.0.8", "pool_start: 10.0.0.16")).step()
    assert world.engine.live() == []


def test_engine_that_does_not_answer_is_said(world: World) -> None:
    world.edit().settle()
    world.engine.stop()
    report = world.step()
    assert isinstance(report.end, Blocked)
    assert report.end.reason == "EngineFailed"


def test_what_the_engine_refuses_is_named(world: World) -> None:
    world.engine.faults["users"] = [RefusalError("failed", "no memory")]
    report = world.edit().step()
    assert isinstance(report.end, Blocked)
    assert report.end.message == "no memory (and 1 more)"
    assert world.step().end == Settled()


def test_generations_number_wishes_not_saves(world: World) -> None:
    world.edit().settle()
    assert world.edit("# a comment\n" + SITE).step().desired == 1
    assert world.edit(SITE.replace("one", "three")).step().desired == 2
    assert world.edit().step().desired == 3


def test_sessions_belong_to_the_generation_in_force(world: World) -> None:
    world.edit().settle()
    world.edit(SITE + FORWARDING).settle()
    assert world.engine.dial("theo")["generation"] == 2


def test_a_new_process_knows_what_was_reached(world: World) -> None:
    world.edit(SITE + FORWARDING).settle()
    session = world.engine.dial("theo")
    world.restart()
    report = world.step()
    assert (paths(report), report.desired, report.newly_applied) == ([], 1, False)
    world.kernel.values[IP_FORWARD] = 0
    assert paths(world.step()) == ["heal forwarding.ip_forward"]
    world.edit(SITE).settle()
    assert world.kernel.values[IP_FORWARD] == 0, "the value from before the first process's write"
    assert world.engine.live() == [session]


def test_lost_state_directory_never_numbers_backwards(world: World) -> None:
    world.edit().settle()
    world.engine.generation = 41
    world.halt()
    for file in (world.directory / "state").iterdir():
        file.unlink()
    world.boot()
    assert world.step().desired == 42


def test_value_of_a_write_that_failed_is_put_back_too(world: World) -> None:
    world.kernel.faults["write"] = 1
    world.edit(SITE + FORWARDING).step()
    world.kernel.values[IP_FORWARD] = 1
    world.edit(SITE).settle()
    assert world.kernel.values[IP_FORWARD] == 0
    assert world.store.remembered() == {}


@pytest.mark.parametrize(
    ("user", "told", "reason"),
    [
        ("theo", "session_closed", "padt_received"),
        (None, "dial_failed", "no_answer"),
        (None, "login_refused", "wrong_password"),
    ],
)
def test_session_that_leaves_by_itself_during_an_apply_is_no_breach(
    world: World, user: str | None, told: EventType, reason: str
) -> None:
    world.edit().settle()
    session = world.engine.dial("theo")
    session["user"] = user
    original = world.engine.do_configure

    def leave(settings: object) -> object:
        world.engine.do_configure = original  # type: ignore[method-assign]
        world.engine.sessions.remove(session)
        world.engine.tell(told, session, reason)
        return {}

    world.engine.do_configure = leave  # type: ignore[method-assign]
    world.edit(SITE.replace("pool_size: 8", "pool_size: 4")).settle()
    assert world.board.unpredicted_drops == 0


def test_session_that_an_apply_ends_without_having_named_it_is_a_breach(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.edit().settle()
    theo = world.engine.dial("theo")
    original = world.engine.do_users

    def clumsy(put: object, remove: object) -> object:
        answer = original(put, remove)  # type: ignore[arg-type]
        world.engine._end([theo], "user_removed")
        return answer

    world.engine.do_users = clumsy  # type: ignore[method-assign]
    world.edit(SITE.replace(PABLO, "")).settle()
    assert world.board.unpredicted_drops == 1
    assert f"session 0x{theo['id']:04x} theo on eth1" in caplog.text
    assert "ended though no plan named it: user_removed" in caplog.text


def test_on_password_change_terminate_ends_that_users_sessions(world: World) -> None:
    site = SITE + "on_password_change: terminate\n"
    world.edit(site).settle()
    world.engine.dial("theo")
    pablo = world.engine.dial("pablo")
    report = world.edit(site.replace("one", "three")).settle()[0]
    assert report.plan is not None
    assert [session.user for session in report.plan.dropped] == ["theo"]
    assert world.engine.live() == [pablo]
    assert report.breaches == ()


def test_disabled_user_drains_when_the_site_says_so(world: World) -> None:
    site = SITE + "on_remove: drain\n"
    world.edit(site).settle()
    pablo = world.engine.dial("pablo")
    report = world.edit(site.replace("ip: 10.0.1.9", "ip: 10.0.1.9\n    enabled: false")).settle()[0]
    assert report.plan is not None
    assert report.plan.dropped == ()
    assert world.engine.live() == [pablo]
    assert report.breaches == ()


def test_password_file_is_read_relative_to_the_site_and_its_change_is_an_edit(world: World) -> None:
    (world.directory / "secrets").mkdir()
    (world.directory / "secrets" / "theo").write_text("first\n")
    world.edit(SITE.replace("theo: one", "theo: {password_file: secrets/theo}")).settle()
    assert world.engine.users["theo"]["secret"] == password("first")
    (world.directory / "secrets" / "theo").write_text("second\n")
    assert paths(world.step()) == ["update users.theo"]
    assert world.engine.users["theo"]["secret"] == password("second")
    (world.directory / "secrets" / "theo").unlink()
    world.settle()
    assert world.conditions()["SourceInvalid"] == (True, "Findings")
    assert "theo" in world.engine.users


def test_no_password_is_ever_logged_or_kept(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    secret = "open-sesame-0815"
    world.engine.faults["users"] = [RefusalError("failed", "no")]
    world.edit(SITE.replace("one", secret)).settle()
    world.engine.dial("theo")
    world.edit(SITE.replace("one", secret + "x")).settle()
    world.edit(SITE.replace("theo: one", f"theo: [{secret}]")).settle()
    told = repr(world.board.report) + caplog.text + repr(world.board.conditions) + repr(world.events.after(0))
    kept = b"".join(p.read_bytes() for p in (world.directory / "state").iterdir())
    assert secret not in told
    assert secret.encode() not in kept
