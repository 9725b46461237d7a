"""The kernel's switches: borrowed, written in their order, and put back as they were found."""

from __future__ import annotations

from reconciler.linux.sysctl import IP_FORWARD, interface_key
from reconciler.plan.change import Change
from reconciler.resources.base import Wanted
from reconciler.resources.sysctl import Forwarding
from reconciler.site.impact import Impact
from tests.fakes.kernel import FakeKernel, FakeMemory
from tests.fakes.sites import situation, wanted
from tests.resources.box import Box

PROXY_ARP = interface_key("eth1", "proxy_arp")


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
