"""The guard: what passes by itself, what is held, and by which limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.change import Plan
from reconciler.plan.diff import make_plan
from reconciler.plan.guard import FLOOR, SESSIONS, USERS, Limit, Verdict, judge, same_or_milder
from reconciler.plan.state import SessionRef, State, Value
from tests.plan.worlds import DEFAULT, Choices, policies, session, states, user

counts = st.integers(0, 10_000)
limits = st.builds(Limit, st.integers(0, 100), st.just(True)) | st.builds(Limit, counts, st.just(False))


def town(size: int, **other: Value) -> dict[str, Value]:
    """A state with so many users."""
    return {f"users.u{number}": user() for number in range(size)} | other


def online(size: int) -> list[SessionRef]:
    return [session(f"u{number}", number + 1) for number in range(size)]


def verdict(before: State, after: State, live: list[SessionRef] | None = None) -> Verdict:
    return judge(make_plan(after, before, before, live, {}, DEFAULT), before)


def test_the_verdict_in_words_and_for_machines() -> None:
    found = verdict(town(120), town(119), [*online(119), *[session("u119", 1000)], *[session(None, 2000)]])
    assert found.line == (
        "guard: revokes 1 of 120 users (limit 20 %), drops 1 of 121 sessions (limit 20 %): ok"
    )
    assert found.as_json() == {
        "verdict": "ok",
        "users": {"removed": 1, "known": 120, "limit": "20%"},
        "sessions": {"dropped": 1, "live": 121, "limit": "20%"},
    }


def test_sessions_that_nobody_saw_are_not_counted() -> None:
    found = verdict(town(120), town(60))
    assert found.line == "guard: revokes 60 of 120 users (limit 20 %), sessions not seen: held"
    assert found.as_json()["sessions"]["dropped"] is None


@pytest.mark.parametrize(("left", "held"), [(100, False), (80, False), (79, True), (1, True)])
def test_a_fifth_of_the_users_may_go_at_once(left: int, held: bool) -> None:
    assert verdict(town(100), town(left)).held is held


def test_small_sites_are_not_in_the_way() -> None:
    small = verdict(town(4), town(1), online(4))
    assert not small.held
    assert small.line.endswith("drops 3 of 4 sessions (limit 20 %): ok, since up to 3 always pass")
    assert verdict(town(5), town(1)).held


def test_disabling_is_revoking_and_enabling_is_not() -> None:
    off = {path: user(enabled=False) for path in town(10)}
    assert verdict(town(10), off).users_removed == 10
    assert verdict(off, town(10)).users_removed == 0
    assert verdict(off, {}).users_removed == 0
    assert verdict(off, {}).users == 0


def test_an_interface_taken_away_counts_by_its_sessions() -> None:
    before = town(10, **{"interface.eth1": {}})
    found = verdict(before, town(10), online(10))
    assert (found.users_removed, found.sessions_dropped, found.held) == (0, 10, True)


def test_an_edit_is_judged_by_the_limits_before_it() -> None:
    strict: dict[str, Value] = {USERS: "10%", SESSIONS: "10%"}
    loose: dict[str, Value] = {USERS: "100%", SESSIONS: "100%"}
    assert verdict(town(100, **strict), town(50, **loose)).held
    assert not verdict(town(100, **loose), town(50, **strict)).held


def test_limits_may_be_numbers() -> None:
    assert not verdict(town(100, **{USERS: "7"}), town(93)).held
    found = verdict(town(100, **{USERS: "7"}), town(92))
    assert found.held
    assert "revokes 8 of 100 users (limit 7)" in found.line


@given(states(), policies)
def test_a_machine_without_users_and_sessions_is_never_held(desired: State, policy: Choices) -> None:
    assert not judge(make_plan(desired, {}, {}, (), {}, policy), {}).held


@given(st.integers(0, FLOOR), counts, limits)
def test_nothing_below_the_floor_is_held(part: int, whole: int, limit: Limit) -> None:
    assert limit.passes(part, whole)


@given(counts, counts, limits, st.integers(0, 100))
def test_a_higher_limit_holds_nothing_more(part: int, whole: int, limit: Limit, more: int) -> None:
    higher = Limit(limit.number + more, limit.percent)
    assert higher.passes(part, whole) or not limit.passes(part, whole)


@given(counts, counts, limits)
def test_less_is_never_held_where_more_passes(part: int, whole: int, limit: Limit) -> None:
    assert limit.passes(max(0, part - 1), whole) or not limit.passes(part, whole)


@given(limits)
def test_a_limit_reads_back_as_it_is_written(limit: Limit) -> None:
    assert Limit.parse(str(limit).replace(" ", "")) == limit


def test_the_same_plan_with_fewer_sessions_is_milder_and_with_more_is_not() -> None:
    def plan(live: list[SessionRef], left: int = 2, moved: int = 1) -> Plan:
        before = town(9, mtu=moved)
        return make_plan(town(left, mtu=1), before, before | {"mtu": 1}, live, {}, DEFAULT)

    shown = plan(online(9))
    assert same_or_milder(plan(online(8)), shown)
    assert same_or_milder(plan(online(9), moved=2), shown)
    assert not same_or_milder(plan(online(9)), plan(online(8)))
    assert not same_or_milder(plan(online(9), left=3), shown)
