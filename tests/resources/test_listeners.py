"""Interfaces: those that are there are served, whatever the others do."""

from __future__ import annotations

from reconciler.linux.sysctl import Key
from tests.fakes.engine import FakeEngine
from tests.fakes.kernel import FakeKernel
from tests.fakes.sites import wanted
from tests.resources.box import Box


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


def test_interfaces_with_dots_in_their_names(box: Box, kernel: FakeKernel, engine: FakeEngine) -> None:
    kernel.plug_in("eth1.5")
    engine.interfaces["eth1.5"] = True
    wish = wanted(interface=["eth1.5"], forwarding={"proxy_arp": "true"})
    box.converge(wish)
    assert kernel.values[Key("conf/eth1.5/proxy_arp")] == 1
    assert box.left(wish) == []
