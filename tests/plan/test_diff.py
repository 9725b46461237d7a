"""The planner: which change touches which live session, and how hard."""

from __future__ import annotations

import pytest

from reconciler.plan.change import Change, Plan, updated
from reconciler.plan.diff import make_plan
from reconciler.plan.state import SessionRef, State, Value, split
from reconciler.site.impact import Impact
from reconciler.site.load import load
from reconciler.site.place import Path, Place
from tests.plan.worlds import BASE, DEFAULT, GENTLE, HARSH, Choices, changed, session, user
from tests.site.samples import GOOD

THEO = session("theo", 1, "10.0.0.2")
PABLO = session("pablo", 2, "10.0.0.3")
SECOND = session("pablo", 3, "10.0.0.4", interface="eth2")
NOBODY = session(None, 4, None)
OFF = user("bb", enabled=False)
LIVE = (THEO, PABLO, SECOND, NOBODY)


def plan(
    desired: State,
    actual: State = BASE,
    sessions: tuple[SessionRef, ...] | None = LIVE,
    *,
    applied: State | None = None,
    policies: Choices = DEFAULT,
) -> Plan:
    return make_plan(desired, actual, BASE if applied is None else applied, sessions, {}, policies)


def only(plan: Plan) -> Change:
    (change,) = plan.changes
    return change


def test_nothing_differs_nothing_changes() -> None:
    assert not plan(BASE)
    assert plan(BASE).changes == ()


@pytest.mark.parametrize(
    ("desired", "policies", "dropped", "later"),
    [
        pytest.param(changed(users__yunhan=user()), DEFAULT, (), (), id="user added"),
        pytest.param(changed(users__pablo=None), DEFAULT, (PABLO, SECOND), (), id="user removed"),
        pytest.param(changed(users__pablo=None), GENTLE, (), (PABLO, SECOND), id="user removed, drained"),
        pytest.param(changed(users__pablo=OFF), DEFAULT, (PABLO, SECOND), (), id="disabled"),
        pytest.param(changed(users__pablo=OFF), GENTLE, (), (PABLO, SECOND), id="disabled, drained"),
        pytest.param(changed(users__theo=user("cc")), DEFAULT, (), (THEO,), id="password"),
        pytest.param(changed(users__theo=user("cc")), HARSH, (THEO,), (), id="password, terminate"),
        pytest.param(changed(users__theo=user(ip="10.0.0.9")), DEFAULT, (), (THEO,), id="fixed address"),
        pytest.param(changed(users__theo=user(ip="10.0.0.2")), DEFAULT, (), (), id="its own address"),
        pytest.param(changed(users__theo=user(sessions=3)), DEFAULT, (), (), id="more sessions"),
        pytest.param(changed(dns_servers=["9.9.9.9"]), DEFAULT, (), LIVE, id="dns_servers"),
        pytest.param(changed(wins_servers=["9.9.9.9"]), DEFAULT, (), LIVE, id="wins_servers"),
        pytest.param(changed(mtu=1400), DEFAULT, (), LIVE, id="mtu"),
        pytest.param(changed(lcp_echo__interval=10), DEFAULT, (), LIVE, id="lcp_echo.interval"),
        pytest.param(changed(lcp_echo__failures=5), DEFAULT, (), LIVE, id="lcp_echo.failures"),
        pytest.param(changed(auth=["pap"]), DEFAULT, (), LIVE, id="auth"),
        pytest.param(changed(local_ip="10.0.0.9"), DEFAULT, (), LIVE, id="local_ip"),
        pytest.param(changed(ac_name="OTHER"), DEFAULT, (), (), id="ac_name"),
        pytest.param(changed(service_names=["internet"]), DEFAULT, (), (), id="service_names"),
        pytest.param(changed(limits__padi_per_mac=5), DEFAULT, (), (), id="limits.padi_per_mac"),
        pytest.param(changed(limits__lockout=600), DEFAULT, (), (), id="limits.lockout"),
        pytest.param(changed(second_login="refuse"), DEFAULT, (), (), id="second_login"),
        pytest.param(changed(pool_start="10.0.0.4"), DEFAULT, (), (THEO, PABLO), id="pool_start"),
        pytest.param(changed(pool_size=2), DEFAULT, (), (SECOND,), id="pool_size"),
        pytest.param(changed(pool_size=100), DEFAULT, (), (), id="pool_size, larger"),
        pytest.param(changed(interface__eth3={}), DEFAULT, (), (), id="interface added"),
        pytest.param(changed(interface__eth2=None), DEFAULT, (SECOND,), (), id="interface removed"),
        pytest.param(changed(forwarding__ip_forward=False), DEFAULT, (), (), id="forwarding"),
        pytest.param(changed(forwarding__ip_forward=None), DEFAULT, (), (), id="not managed"),
        pytest.param(changed(kernel__route__x={}), DEFAULT, (), (), id="route"),
    ],
)  # fmt: skip
def test_a_change_names_exactly_the_sessions_it_touches(
    desired: State, policies: Choices, dropped: tuple[SessionRef, ...], later: tuple[SessionRef, ...]
) -> None:
    change = only(plan(desired, policies=policies))
    assert set(change.dropped) == set(dropped)
    assert set(change.later) == set(later)
    assert change.impact is (Impact.DROP if dropped else Impact.LATER if later else Impact.NONE)


def test_lowered_sessions_end_the_oldest_surplus_only() -> None:
    actual = changed(users__pablo=user("bb", sessions=3))
    crowd = (session("pablo", 5, since=30), session("pablo", 6, since=10), session("pablo", 7, since=20))
    change = only(plan(changed(), actual, crowd, applied=actual))
    assert [gone.since for gone in change.dropped] == [10, 20]
    assert (
        only(plan(changed(users__pablo=user("bb", sessions=2)), actual, crowd[:2], applied=actual)).sessions
        == ()
    )


def test_a_user_who_comes_disabled_loses_sessions_that_still_drain() -> None:
    change = only(plan(changed(users__pablo=user("bb", enabled=False)), changed(users__pablo=None)))
    assert change.op == "add"
    assert set(change.dropped) == {PABLO, SECOND}


def test_a_user_who_changes_in_several_ways_is_one_change() -> None:
    actual = changed(users__pablo=user("bb", sessions=2))
    change = only(plan(changed(users__pablo=user("cc", ip="10.0.0.30")), actual, applied=actual))
    assert change.dropped == (PABLO,)
    assert change.later == (SECOND,)
    assert change.keeps == ("address", "password")


def test_a_fixed_address_is_none_of_the_pools_business() -> None:
    fixed = {"users__theo": user(ip="10.0.0.2")}
    actual = changed(**fixed)
    change = only(plan(changed(**fixed, pool_start="10.0.0.4"), actual, applied=actual))
    assert change.later == (PABLO,)


def test_a_session_that_was_outside_the_pool_already_is_not_touched_again() -> None:
    old_lease = session("theo", 9, "10.9.9.9")
    assert only(plan(changed(pool_size=100), sessions=(old_lease,))).sessions == ()


def test_a_session_that_two_changes_drop_counts_once() -> None:
    both = plan(changed(users__pablo=None, interface__eth2=None))
    assert [len(change.dropped) for change in both.changes] == [2, 1]
    assert both.totals.dropped == 2
    assert set(both.dropped) == {PABLO, SECOND}


def test_a_session_that_is_dropped_has_no_later() -> None:
    both = plan(changed(users__pablo=None, mtu=1400, dns_servers=[]))
    assert set(both.later) == {THEO, NOBODY}
    assert both.totals.later == 2
    for change in both.changes:
        assert not set(change.later) & set(both.dropped)


def test_drift_is_what_differs_although_nobody_edited() -> None:
    actual = changed(forwarding__ip_forward=False, users__theo=None)
    actual["kernel.route.10.9.0.0/16"] = {}
    healed = plan(BASE, actual)
    assert {(change.op, change.path) for change in healed.changes} == {
        ("heal", "forwarding.ip_forward"),
        ("heal", "users.theo"),
        ("heal", "kernel.route.10.9.0.0/16"),
    }
    assert healed.totals.drift == 3
    assert healed.totals.settings == healed.totals.users_added == 0


def test_without_a_known_past_nothing_is_drift() -> None:
    fresh = plan(BASE, {}, (), applied={})
    assert {change.op for change in fresh.changes} == {"add"}
    assert fresh.totals.users_added == 2


def test_how_long_something_has_drifted_is_its_reason() -> None:
    actual = changed(mtu=1400)
    change = only(make_plan(BASE, actual, BASE, LIVE, {}, DEFAULT, drifting={"mtu": 14.9}))
    assert change.reason == "drift for 14 s"
    assert only(plan(BASE, actual)).reason == "drift"


def test_an_unfinished_edit_is_still_an_edit() -> None:
    desired = changed(mtu=1400)
    assert only(plan(desired, BASE, applied=BASE)).op == "update"


def test_a_setting_no_longer_managed_gets_its_old_value_back() -> None:
    change = only(plan(changed(forwarding__ip_forward=None)))
    assert change.op == "remove"
    assert "put back" in change.reason


def test_when_live_sessions_cannot_be_seen_the_worst_is_told() -> None:
    desired = changed(users__pablo=None, users__theo=user("cc"), mtu=1400, ac_name="OTHER", pool_size=9)
    unseen = plan(desired, sessions=None)
    assert {change.path: change.impact for change in unseen.changes} == {
        "users.pablo": Impact.DROP,
        "users.theo": Impact.LATER,
        "mtu": Impact.LATER,
        "pool_size": Impact.LATER,
        "ac_name": Impact.NONE,
    }
    assert unseen.totals.live is None
    raised = plan(changed(users__theo=user(sessions=2)), sessions=None)
    lowered = plan(BASE, changed(users__theo=user(sessions=2)), None, applied={})
    assert (only(raised).impact, only(lowered).impact) == (Impact.NONE, Impact.DROP)


def test_changes_have_places_by_what_they_are_about() -> None:
    places = load(
        GOOD.replace("eth0", "[eth0, eth1]") + "forwarding:\n  proxy_arp: true\nlcp_echo: {interval: 5}\n",
        "f",
    ).places
    desired: dict[str, Value] = {
        "users.theo": user(),
        "interface.eth1": {},
        "forwarding.proxy_arp.eth1": True,
        "lcp_echo.interval": 5,
        "local_ip": "10.214.2.100",
        "kernel.address.10.214.2.100": {},
        "kernel.route.10.214.2.0/24": {},
    }
    where = {change.path: change.where for change in make_plan(desired, {}, {}, (), places, DEFAULT).changes}
    assert {path: place and place[:2] for path, place in where.items()} == {
        "users.theo": (6, 3),
        "interface.eth1": (2, 19),
        "forwarding.proxy_arp.eth1": (8, 3),
        "lcp_echo.interval": (9, 12),
        "local_ip": (3, 1),
        "kernel.address.10.214.2.100": (3, 1),
        "kernel.route.10.214.2.0/24": None,
    }


def test_a_removed_user_has_a_place_when_the_old_files_are_given() -> None:
    places: dict[Path, Place] = {("users", "pablo"): Place(24, 3, 24, 8)}
    change = only(make_plan(changed(users__pablo=None), BASE, BASE, LIVE, places, DEFAULT))
    assert change.where == Place(24, 3, 24, 8)


def test_users_come_first_and_drift_last() -> None:
    desired = changed(users__pablo=None, users__theo=user("cc"), users__yunhan=user(), mtu=1400)
    paths = [change.path for change in plan(desired, changed(forwarding__ip_forward=False)).changes]
    assert paths == ["users.pablo", "users.theo", "users.yunhan", "mtu", "forwarding.ip_forward"]


def test_the_id_is_the_contents() -> None:
    desired = changed(users__pablo=None)
    assert plan(desired).id == plan(dict(reversed(desired.items()))).id
    aged = tuple(session._replace(uptime=session.uptime + 5) for session in LIVE)
    assert plan(desired, sessions=aged).id == plan(desired).id
    others = [
        plan(changed(users__theo=None)),
        plan(desired, sessions=LIVE[:2]),
        make_plan(desired, BASE, BASE, LIVE, {}, DEFAULT, base_generation=7),
        plan(BASE),
    ]
    assert len({plan(desired).id, *(other.id for other in others)}) == 5


def test_names_with_dots_are_whole() -> None:
    assert split("users.j.doe") == ("users", "j.doe")
    assert split("interface.eth0.100") == ("interface", "eth0.100")
    assert split("forwarding.proxy_arp.eth0.100") == ("forwarding.proxy_arp", "eth0.100")
    assert split("forwarding.ip_forward") == ("forwarding.ip_forward", None)
    assert split("kernel.route.10.0.0.0/8") == ("kernel.route", "10.0.0.0/8")


def test_a_path_outside_the_vocabulary_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        plan(changed(zebra=1))


def test_updated_is_what_the_changes_make_of_a_state() -> None:
    desired = changed(users__pablo=None, mtu=1400, interface__eth3={})
    assert updated(BASE, plan(desired).changes) == desired
