"""All resources together: each key has one, what is wanted is made, and nothing is left to do."""

from __future__ import annotations

from typing import Any

from reconciler.plan.change import Change
from reconciler.resources.base import Outcome
from reconciler.resources.registry import steps
from reconciler.site.impact import Impact
from tests.fakes.engine import FakeEngine, RefusalError, password
from tests.fakes.sites import wanted
from tests.resources.box import Box, changes, reasons

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


def test_refused_settings_are_a_failure_of_their_paths(box: Box, engine: FakeEngine) -> None:
    engine.faults["configure"] = [RefusalError("bad_request", "no such address")]
    failures = [failure for outcome in box.converge(wanted()) for failure in outcome.failures]
    assert [(f.path, f.reason, f.message) for f in failures] == [("local_ip", "Failed", "no such address")]
    assert box.left(wanted()) == ["update local_ip"]


def test_null_data_path_has_neither_address_nor_routes(box: Box, engine: FakeEngine) -> None:
    engine.device = None
    desired, actual, _ = box.both(wanted())
    assert not [path for path in {*desired, *actual} if path.startswith("kernel.")]


def test_engine_without_permission_is_said_with_its_reason(box: Box, engine: FakeEngine) -> None:
    engine.faults["listen"] = [RefusalError("not_permitted", "needs CAP_NET_RAW")]
    assert reasons(box.converge(wanted())) == ["NotPermitted"]
