"""Our address and the routes to subscribers: which they are, and how long they stay."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from reconciler.resources.routes import networks
from tests.fakes.engine import FakeEngine
from tests.fakes.kernel import FakeKernel
from tests.fakes.sites import wanted
from tests.resources.box import Box


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
