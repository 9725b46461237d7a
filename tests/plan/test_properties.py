"""What holds of every plan, whatever the states and whoever is live."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.change import updated
from reconciler.plan.diff import make_plan
from reconciler.plan.render import as_json, as_text
from reconciler.plan.state import SessionRef, State
from reconciler.site.impact import Impact
from tests.plan.worlds import Choices, crowds, policies, states


@given(states(), states(), crowds(), policies)
def test_nothing_changes_what_is_as_it_should_be(
    state: State, applied: State, live: tuple[SessionRef, ...], policy: Choices
) -> None:
    assert not make_plan(state, state, applied, live, {}, policy)


@given(states(), states(), states(), crowds(), policies)
def test_done_the_changes_give_what_is_desired(
    desired: State, actual: State, applied: State, live: tuple[SessionRef, ...], policy: Choices
) -> None:
    plan = make_plan(desired, actual, applied, live, {}, policy)
    reached = updated(actual, plan.changes)
    assert reached == desired
    assert not make_plan(desired, reached, reached, live, {}, policy)


@given(states(), states(), crowds(), policies, st.data())
def test_order_is_irrelevant(
    desired: State, actual: State, live: tuple[SessionRef, ...], policy: Choices, data: st.DataObject
) -> None:
    shuffled = {path: desired[path] for path in data.draw(st.permutations(sorted(desired)))}
    backwards = {path: actual[path] for path in reversed(list(actual))}
    one = make_plan(desired, actual, actual, live, {}, policy)
    other = make_plan(shuffled, backwards, actual, live[::-1], {}, policy)
    assert one == other
    assert one.id == other.id


@given(states(), states(), states(), crowds(), policies)
def test_only_live_sessions_are_named_and_totals_add_up(
    desired: State, actual: State, applied: State, live: tuple[SessionRef, ...], policy: Choices
) -> None:
    plan = make_plan(desired, actual, applied, live, {}, policy)
    dropped, later = set(plan.dropped), set(plan.later)
    assert dropped | later <= set(live)
    assert not dropped & later
    assert (len(plan.dropped), len(plan.later)) == (len(dropped), len(later))
    for change in plan.changes:
        assert change.impact is (
            Impact.DROP if change.dropped else Impact.LATER if change.later else Impact.NONE
        )
        assert not set(change.later) & dropped


@given(states(), states(), crowds(), policies)
def test_a_user_who_keeps_entry_and_interface_is_never_dropped(
    desired: State, actual: State, live: tuple[SessionRef, ...], policy: Choices
) -> None:
    plan = make_plan(desired, actual, actual, live, {}, policy)
    for session in plan.dropped:
        entry, interface = f"users.{session.user}", f"interface.{session.interface}"
        touched = desired.get(entry) != actual.get(entry)
        assert touched or (interface in actual and interface not in desired)


@given(states(), states(), crowds(), policies)
def test_what_could_happen_unseen_is_never_less_than_what_happens(
    desired: State, actual: State, live: tuple[SessionRef, ...], policy: Choices
) -> None:
    seen = make_plan(desired, actual, actual, live, {}, policy)
    unseen = make_plan(desired, actual, actual, None, {}, policy)
    worst = {change.path: change.impact for change in unseen.changes}
    assert not [change for change in seen.changes if change.impact > worst[change.path]]


@given(states(), states(), states(), st.none() | crowds(), policies)
def test_every_plan_can_be_shown(
    desired: State, actual: State, applied: State, live: tuple[SessionRef, ...] | None, policy: Choices
) -> None:
    plan = make_plan(desired, actual, applied, live, {}, policy)
    text = as_text(plan)
    assert "\x1b" not in text
    assert text.startswith("No changes.\n") == (not plan)
    told = {change.path for change in plan.changes if not change.path.startswith("kernel.route.")}
    assert len(text.splitlines()) >= len(told) + 2
    assert json.loads(json.dumps(as_json(plan)))["id"] == plan.id
