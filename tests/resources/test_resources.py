"""Each resource: what it wants, what it sees, what it does, and that the three agree."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Any

import pytest

from reconciler.linux.sysctl import IP_FORWARD, Key, interface_key
from reconciler.plan.change import Change
from reconciler.plan.state import State
from reconciler.resources.base import Outcome, Situation, Wanted
from reconciler.resources.engine import EngineClient
from reconciler.resources.registry import registry, steps
from reconciler.resources.routes import networks
from reconciler.resources.sysctl import Forwarding
from reconciler.resources.users import BATCH
from reconciler.site.impact import Impact
from tests.fakes.engine import FakeEngine, RefusalError, password
from tests.fakes.kernel import FakeKernel, FakeMemory
from tests.fakes.sites import situation, wanted
from tests.site.samples import NT, SCRYPT

PROXY_ARP = interface_key("eth1", "proxy_arp")


def changes(desired: State, actual: State) -> list[Change]:
    """The difference, without plan's finer points."""
    found: list[Change] = []
    for path in sorted({*desired, *actual}):
        before, after = actual.get(path), desired.get(path)
        if before != after:
            op: Any = "add" if before is None else "remove" if after is None else "update"
            found.append(Change(op, path, before, after, Impact.NONE))
    return found


class Box:
    """All resources over one fake engine and one fake kernel."""

    def __init__(self, client: EngineClient, kernel: FakeKernel, memory: FakeMemory) -> None:
        self.client = client
        self.resources = registry(client, kernel, memory)

    def both(self, wish: Wanted) -> tuple[dict[str, Any], dict[str, Any], Situation]:
        at = situation(wish, self.client)
        desired: dict[str, Any] = {}
        actual: dict[str, Any] = {}
        for resource in self.resources:
            desired.update(resource.desired(at))
            actual.update(resource.observe(at))
        return desired, actual, at

    def converge(self, wish: Wanted) -> list[Outcome]:
        desired, actual, at = self.both(wish)
        return [
            resource.apply(todo, at) for resource, todo in steps(self.resources, changes(desired, actual))
        ]

    def left(self, wish: Wanted) -> list[str]:
        desired, actual, _ = self.both(wish)
        return [f"{change.op} {change.path}" for change in changes(desired, actual)]


@pytest.fixture
def box(client: EngineClient, kernel: FakeKernel, memory: FakeMemory) -> Box:
    return Box(client, kernel, memory)


FULL: dict[str, Any] = {
    "ac_name": "SERVER",
    "access_only": "true",
    "service_names": ["internet"],
    "dns_servers": ["8.8.8.8", "8.8.4.4"],
    "wins_servers": ["10.0.0.5"],
    "forwarding": {"ip_forward": "true", "proxy_arp": "true", "rp_filter": "strict"},
    "nat": {"masquerade": "eth0"},
    "auth": ["pap"],
    "mtu": "1400",
    "lcp_echo": {"interval": "5", "failures": "2"},
    "session_timeout": "86400",
    "idle_timeout": "900",
    "limits": {"padi_per_mac": "5", "failed_logins": "0"},
    "second_login": "refuse",
}


def test_from_nothing_everything_is_made_and_then_nothing_is_left(box: Box, engine: FakeEngine) -> None:
    assert box.converge(wanted(**FULL)) == [Outcome()] * 16
    assert box.left(wanted(**FULL)) == []
    assert engine.settings == {
        "ac_name": "SERVER",
        "access_only": True,
        "service_names": ["internet"],
        "local_ip": "10.0.0.1",
        "pools": [{"name": "default", "start": "10.0.0.8", "size": 8}],
        "dns_servers": ["8.8.8.8", "8.8.4.4"],
        "wins_servers": ["10.0.0.5"],
        "auth": ["pap"],
        "mtu": 1400,
        "echo_interval": 5,
        "echo_failures": 2,
        "session_timeout": 86400,
        "idle_timeout": 900,
        "limits": {
            "padi_per_mac": 5,
            "padi_total": 2000,
            "half_open": 4000,
            "failed_logins": 0,
            "lockout": 60,
        },
        "second_login": "refuse",
    }
    assert engine.users["theo"]["secret"] == password("one")
    assert engine.users["pablo"]["address"] == "10.0.1.9"


def test_hashes_reach_the_engine_as_hashes_and_count_as_changes(box: Box, engine: FakeEngine) -> None:
    box.converge(wanted({"theo": "one", "pablo": "two"}))
    users = {"theo": {"nt_hash": NT}, "pablo": {"password_hash": SCRYPT}}
    desired, actual, _ = box.both(wanted(users, auth=["pap"]))
    assert {change.path for change in changes(desired, actual)} == {"users.theo", "users.pablo", "auth"}
    box.converge(wanted(users, auth=["pap"]))
    assert engine.users["theo"]["secret"] == {"kind": "nt_hash", "hash": NT}
    assert engine.users["pablo"]["secret"] == {
        "kind": "scrypt",
        "n": 16,
        "r": 1,
        "p": 1,
        "salt": "4e61436c",
        "key": "23b8d3d482677101e50799389c0aa1ed5aa93553df6acb49e9e71e3d7d8e5449",
    }


def test_every_key_of_the_site_has_a_resource(box: Box) -> None:
    desired, _, _ = box.both(wanted(**FULL))
    owned = [subject for resource in box.resources for subject in resource.subjects]
    assert len(owned) == len(set(owned))
    assert len(list(steps(box.resources, changes(desired, {})))) == len(box.resources)


def test_an_engine_that_nobody_set_has_no_settings(box: Box) -> None:
    _, actual, _ = box.both(wanted())
    assert "ac_name" not in actual


def test_made_from_the_kernel_up_and_taken_away_from_the_engine_down(box: Box) -> None:
    box.converge(wanted(interface=["eth1", "eth9"]))
    desired, actual, _ = box.both(wanted(interface=["eth1"], pool_start="10.0.0.16", mtu="1400"))
    order = [type(resource).__name__ for resource, _ in steps(box.resources, changes(desired, actual))]
    assert order == ["Routes", "Clamp", "Leases", "LinkPolicy", "Routes"]
    removal = [
        Change("remove", path, {}, None, Impact.NONE)
        for path in ("kernel.route.10.0.0.8/29", "interface.eth1")
    ]
    order = [type(resource).__name__ for resource, _ in steps(box.resources, removal)]
    assert order == ["Listeners", "Routes"]


def test_host_name_stands_in_for_ac_name(box: Box, engine: FakeEngine) -> None:
    box.converge(wanted())
    assert engine.settings["ac_name"] == "box"


def test_many_users_come_in_batches_and_a_batch_that_is_refused_keeps_nobody_else_out(
    box: Box, engine: FakeEngine
) -> None:
    many = wanted(users={f"user{number:04}": "x" for number in range(2 * BATCH + 1)})
    engine.faults["users"] = [RefusalError("failed", "no memory")]
    failed = [failure.path for outcome in box.converge(many) for failure in outcome.failures]
    assert failed == [f"users.user{number:04}" for number in range(BATCH)]
    asked = [len(request["put"]) for request in engine.requests if request["do"] == "users"]
    assert asked == [BATCH, BATCH, 1]
    box.converge(many)
    assert box.left(many) == []


def test_removed_user_loses_only_their_sessions(box: Box, engine: FakeEngine) -> None:
    box.converge(wanted())
    engine.dial("theo")
    pablo = engine.dial("pablo")
    outcomes = box.converge(wanted(users={"theo": "one"}))
    ended = [key for outcome in outcomes for key in outcome.ended]
    assert ended == [{"interface": "eth1", "mac": pablo["mac"], "id": pablo["id"]}]
    assert [session["user"] for session in engine.sessions] == ["theo"]


def test_removed_user_drains_when_the_site_says_so(box: Box, engine: FakeEngine) -> None:
    box.converge(wanted())
    engine.dial("pablo")
    box.converge(wanted(users={"theo": "one"}, on_remove="drain"))
    assert list(engine.users) == ["theo"]
    assert [session["user"] for session in engine.sessions] == ["pablo"]


def test_password_change_ends_sessions_in_the_same_request_when_the_site_says_so(
    box: Box, engine: FakeEngine
) -> None:
    box.converge(wanted())
    theo, pablo = engine.dial("theo"), engine.dial("pablo")
    box.converge(wanted(users={"theo": "other", "pablo": {"password": "two", "ip": "10.0.1.9"}}))
    assert engine.live() == [theo, pablo], "keep is the default"
    again = {"theo": "third", "pablo": {"password": "two", "ip": "10.0.1.9"}}
    outcomes = box.converge(wanted(users=again, on_password_change="terminate"))
    assert [key["id"] for outcome in outcomes for key in outcome.ended] == [theo["id"]]
    assert "terminate" not in [request["do"] for request in engine.requests]


def test_missing_interface_is_named_and_the_others_are_served(
    box: Box, engine: FakeEngine, kernel: FakeKernel
) -> None:
    outcomes = box.converge(wanted(interface=["eth9", "eth1"]))
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    assert [(f.path, f.reason) for f in failures] == [("interface.eth9", "InterfaceMissing")]
    assert failures[0].message == "interface eth9 is not there, and waited for; there is eth1"
    assert engine.listeners == ["eth1"]
    engine.interfaces["eth9"] = True
    kernel.plug_in("eth9")
    box.converge(wanted(interface=["eth9", "eth1"]))
    assert box.left(wanted(interface=["eth9", "eth1"])) == []


def test_interface_that_was_made_again_is_served_again(
    box: Box, engine: FakeEngine, kernel: FakeKernel
) -> None:
    box.converge(wanted())
    del kernel.interfaces["eth1"]
    assert box.left(wanted()) == ["add interface.eth1"]
    kernel.plug_in("eth1", ifindex=3)
    assert box.left(wanted()) == ["add interface.eth1"]
    engine.requests.clear()
    failures = [failure for outcome in box.converge(wanted()) for failure in outcome.failures]
    assert [(failure.path, failure.reason) for failure in failures] == [
        ("interface.eth1", "InterfaceMissing")
    ]
    assert not [request for request in engine.requests if "listen" in request["do"]], "not from here"
    engine.listeners.remove("eth1")  # it has noticed
    box.converge(wanted())
    assert [request["do"] for request in engine.requests if "listen" in request["do"]] == ["listen"]


def test_refused_settings_are_a_failure_of_their_paths(box: Box, engine: FakeEngine) -> None:
    engine.faults["configure"] = [RefusalError("bad_request", "no such address")]
    failures = [failure for outcome in box.converge(wanted()) for failure in outcome.failures]
    assert [(f.path, f.reason, f.message) for f in failures] == [("local_ip", "Failed", "no such address")]
    assert box.left(wanted()) == ["update local_ip"]


def test_null_data_path_has_neither_address_nor_routes(box: Box, engine: FakeEngine) -> None:
    engine.device = None
    desired, actual, _ = box.both(wanted())
    assert not [path for path in {*desired, *actual} if path.startswith("kernel.")]


def test_old_local_ip_stays_while_a_session_has_it_as_its_peer(
    box: Box, engine: FakeEngine, kernel: FakeKernel
) -> None:
    box.converge(wanted())
    session = engine.dial("theo")
    box.converge(wanted(local_ip="10.0.0.2"))
    assert kernel.addresses == {"10.0.0.1", "10.0.0.2"}
    engine.hang_up(session)
    assert box.left(wanted(local_ip="10.0.0.2")) == ["remove kernel.address.10.0.0.1"]
    box.converge(wanted(local_ip="10.0.0.2"))
    assert kernel.addresses == {"10.0.0.2"}


def test_moved_pool_leaves_a_live_session_its_route(box: Box, engine: FakeEngine, kernel: FakeKernel) -> None:
    box.converge(wanted())
    session = engine.dial("theo")
    assert session["address"] == "10.0.0.8"
    box.converge(wanted(pool_start="10.0.0.16"))
    assert kernel.routes == {"10.0.0.16/29", "10.0.1.9/32", "10.0.0.8/32"}
    assert kernel.log[-1] == "remove_route 10.0.0.8/29", "the new route must be there before the old one goes"
    engine.hang_up(session)
    box.converge(wanted(pool_start="10.0.0.16"))
    assert kernel.routes == {"10.0.0.16/29", "10.0.1.9/32"}


def test_failed_routes_are_named_one_by_one(box: Box, kernel: FakeKernel) -> None:
    kernel.faults["add_route"] = 1
    failures = [failure for outcome in box.converge(wanted()) for failure in outcome.failures]
    assert [failure.path for failure in failures] == ["kernel.route.10.0.0.8/29"]
    assert "needs root" in failures[0].message
    assert kernel.routes == {"10.0.1.9/32"}


@pytest.mark.parametrize(
    ("keys", "held", "expected"),
    [
        ({"pool_start": "10.0.0.101", "pool_size": "3"}, [], ["10.0.0.101/32", "10.0.0.102/31"]),
        ({"pool_start": "255.255.255.254", "pool_size": "9"}, [], ["255.255.255.254/31"]),
        ({}, ["10.0.0.9", "10.0.0.16"], ["10.0.0.8/29", "10.0.0.16/32"]),
        ({}, ["10.0.0.16", "10.0.0.16"], ["10.0.0.8/29", "10.0.0.16/32"]),
    ],
)
def test_routes_cover_pool_and_sessions_without_overlap(
    keys: dict[str, str], held: list[str], expected: list[str]
) -> None:
    site = wanted(users={"theo": "one"}, **keys).site
    assert [str(n) for n in networks(site, map(IPv4Address, held))] == expected


def test_fixed_addresses_are_routed_together_and_only_for_enabled_users() -> None:
    users = {
        "a": {"password": "x", "ip": "10.1.0.2"},
        "b": {"password": "x", "ip": "10.1.0.3"},
        "c": {"password": "x", "ip": "10.1.0.9", "enabled": "false"},
        "in": {"password": "x", "ip": "10.0.0.9"},
    }
    site = wanted(users=users).site
    assert [str(n) for n in networks(site)] == ["10.0.0.8/29", "10.1.0.2/31"]


def forwarding(**keys: str) -> Wanted:
    return wanted(forwarding=keys)


def test_unset_forwarding_is_left_as_it_is(box: Box, kernel: FakeKernel) -> None:
    kernel.values[IP_FORWARD] = 1
    box.converge(wanted())
    assert kernel.values[IP_FORWARD] == 1
    assert not [entry for entry in kernel.log if entry.startswith("write")]


def test_global_switch_is_written_before_the_interfaces(box: Box, kernel: FakeKernel) -> None:
    box.converge(forwarding(ip_forward="true", proxy_arp="true"))
    assert [entry for entry in kernel.log if entry.startswith("write")] == [
        "write ip_forward=1",
        "write conf/eth1/proxy_arp=1",
    ]


def test_prior_value_is_put_back_when_no_longer_declared(
    box: Box, kernel: FakeKernel, memory: FakeMemory
) -> None:
    kernel.values[IP_FORWARD] = 1
    box.converge(forwarding(ip_forward="false", proxy_arp="true"))
    assert (kernel.values[IP_FORWARD], kernel.values[PROXY_ARP]) == (0, 1)
    box.converge(forwarding(proxy_arp="true"))
    assert (kernel.values[IP_FORWARD], kernel.values[PROXY_ARP]) == (1, 1)
    box.converge(wanted())
    assert kernel.values[PROXY_ARP] == 0
    assert memory.remembered() == {}
    assert box.left(wanted()) == []


def test_prior_value_survives_later_writes(box: Box, kernel: FakeKernel, memory: FakeMemory) -> None:
    box.converge(forwarding(ip_forward="true"))
    kernel.values[IP_FORWARD] = 0
    box.converge(forwarding(ip_forward="true"))
    box.converge(forwarding(ip_forward="false"))
    assert memory.remembered() == {"forwarding.ip_forward": 0}


def test_prior_value_is_remembered_before_the_write(box: Box, kernel: FakeKernel, memory: FakeMemory) -> None:
    kernel.faults["write"] = 1
    failures = [f for outcome in box.converge(forwarding(ip_forward="true")) for f in outcome.failures]
    assert [(f.path, f.reason) for f in failures] == [("forwarding.ip_forward", "SysctlFailed")]
    assert memory.remembered() == {"forwarding.ip_forward": 0}


def test_value_that_was_right_when_we_came_is_what_release_puts_back(
    kernel: FakeKernel, memory: FakeMemory
) -> None:
    resource = Forwarding(kernel, memory)
    heal = Change("heal", "forwarding.ip_forward", False, True, Impact.NONE)
    resource.apply([heal], situation(forwarding(ip_forward="true")))
    resource.release()
    assert kernel.values[IP_FORWARD] == 1


def test_release_puts_everything_back(box: Box, kernel: FakeKernel, memory: FakeMemory) -> None:
    box.converge(forwarding(ip_forward="true", proxy_arp="true"))
    assert Forwarding(kernel, memory).release() == ()
    assert (kernel.values[IP_FORWARD], kernel.values[PROXY_ARP]) == (0, 0)
    assert memory.remembered() == {}


def test_release_goes_on_past_an_interface_that_is_gone(kernel: FakeKernel, memory: FakeMemory) -> None:
    memory.update({"forwarding.proxy_arp.usb0": 0, "forwarding.ip_forward": 1})
    failures = Forwarding(kernel, memory).release()
    assert failures == (), "it took its settings along"
    assert memory.remembered() == {}
    assert kernel.values[IP_FORWARD] == 1


def test_proxy_arp_off_is_not_believed_while_the_global_setting_overrules_it(
    box: Box, kernel: FakeKernel
) -> None:
    kernel.values[interface_key("all", "proxy_arp")] = 1
    failures = [f for outcome in box.converge(forwarding(proxy_arp="false")) for f in outcome.failures]
    assert "net.ipv4.conf.all.proxy_arp is 1" in failures[0].message
    kernel.values[interface_key("all", "proxy_arp")] = 0
    assert box.left(forwarding(proxy_arp="false")) == []


def test_interfaces_with_dots_in_their_names(box: Box, kernel: FakeKernel, engine: FakeEngine) -> None:
    kernel.plug_in("eth1.5")
    engine.interfaces["eth1.5"] = True
    wish = wanted(interface=["eth1.5"], forwarding={"proxy_arp": "true"})
    box.converge(wish)
    assert kernel.values[Key("conf/eth1.5/proxy_arp")] == 1
    assert box.left(wish) == []


def test_passwords_show_in_no_state_and_no_repr(box: Box) -> None:
    wish = wanted(users={"theo": "open sesame"})
    desired, _, at = box.both(wish)
    assert "open sesame" not in repr(desired) + repr(wish) + repr(at)


def reasons(outcomes: Iterable[Outcome]) -> list[str]:
    return [failure.reason for outcome in outcomes for failure in outcome.failures]


def test_engine_without_permission_is_said_with_its_reason(box: Box, engine: FakeEngine) -> None:
    engine.faults["listen"] = [RefusalError("not_permitted", "needs CAP_NET_RAW")]
    assert reasons(box.converge(wanted())) == ["NotPermitted"]
