"""The reconciler's process with the real engine and the real kernel, in a network namespace of the test's
own.
"""

from __future__ import annotations

import os
import signal
import socket
from hashlib import sha256

import pytest

from reconciler.control.client import AnswerError
from reconciler.linux import links, netlink, netns, sysctl
from reconciler.linux.sysctl import IP_FORWARD, interface_key
from reconciler.resources.engine import NoEngineError
from tests.patience import PATIENCE
from tests.root.box import SITE, Box, condition, wait_for_end

pytestmark = pytest.mark.root

PROXY_ARP = interface_key("eth0", "proxy_arp")
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-net_admin,-net_raw", "--inh-caps=-net_admin,-net_raw")


def test_converges_from_nothing_and_a_second_apply_says_no_changes(box: Box) -> None:
    box.start("--datapath", "tun")
    status = box.ready()
    device = status["device"]
    assert status["datapath"] == "tun"
    assert [found.address for found in netlink.addresses(device) if found.ours] == ["10.214.2.100"]
    assert {route.destination for route in netlink.routes(device)} == {"10.214.2.104/29", "10.214.9.9/32"}
    assert (sysctl.read(IP_FORWARD), sysctl.read(PROXY_ARP)) == (1, 1)
    answer = box.client.post("/v1/apply", path=str(box.site))
    assert answer["result"] == "unchanged"
    assert answer["text"].startswith("No changes.")


def test_edits_are_noticed_and_broken_files_touch_nothing(box: Box) -> None:
    box.start("--datapath", "null")
    box.ready()
    box.edit(SITE + "  yunhan: three\n")
    box.until(lambda status: status["generation"]["applied"] == 2, "the edit")
    assert "yunhan" in box.engine.observe()["users"]
    box.edit(SITE.replace("pool_size: 8", "pool_size: many"))
    status = box.until(lambda status: condition(status, "SourceInvalid")[0], "the finding")
    assert "site.yaml:6:12" in condition(status, "SourceInvalid")[2]
    box.edit("")
    box.until(lambda status: "empty" in condition(status, "SourceInvalid")[2], "the finding of an empty file")
    assert "yunhan" in box.engine.observe()["users"]
    box.edit(SITE)
    box.until(
        lambda status: condition(status, "Ready")[0] and status["generation"]["applied"] == 3, "the mend"
    )
    assert sorted(box.engine.observe()["users"]) == ["pablo", "theo"]


def test_kernel_tells_of_drift_and_it_is_put_back(box: Box) -> None:
    box.start("--datapath", "tun")
    status = box.ready()
    sysctl.write(IP_FORWARD, 0)
    status = box.until(lambda status: bool(status["drift"]), "the drift")
    assert (status["drift"][0]["path"], status["drift"][0]["from"]) == ("forwarding.ip_forward", False)
    assert sysctl.read(IP_FORWARD) == 1
    netlink.remove_route("10.214.9.9/32", status["device"])
    box.until(lambda status: len(status["drift"]) == 2, "the drift of a route")
    assert "10.214.9.9/32" in {route.destination for route in netlink.routes(status["device"])}


def test_a_held_change_stays_held_whatever_is_restarted_until_its_plan_is_released(box: Box) -> None:
    crowd = [f"u{number}" for number in range(10)]
    box.edit(SITE + "".join(f"  {name}: x\n" for name in crowd))
    running = box.start("--datapath", "null")
    box.ready()
    box.edit(SITE)
    status = box.until(lambda status: condition(status, "Held")[0], "the hold")
    assert "revokes 10 of 12 users (limit 20 %)" in condition(status, "Held")[2]
    assert status["generation"] == {"desired": 2, "applied": 1}
    sysctl.write(IP_FORWARD, 0)
    box.until(lambda status: bool(status["drift"]) and status["drift"][0]["healed"], "the drift's end")

    engine = box.engine.hello()["pid"]
    box.engine.close()
    os.kill(engine, signal.SIGKILL)
    box.until(lambda status: (status["engine"] or {}).get("pid", engine) != engine, "another engine")
    assert box.finish(running) == 0
    box.start("--datapath", "null")
    status = box.until(lambda status: condition(status, "Held")[0], "the hold again")
    assert set(crowd) < set(box.engine.observe()["users"])

    answer = box.client.post("/v1/apply", path=str(box.site))
    assert answer["result"] == "held"
    assert answer["plan"]["guard"]["users"] == {"removed": 10, "known": 12, "limit": "20%"}
    with pytest.raises(AnswerError, match="not what would be done"):
        box.client.post("/v1/apply", path=str(box.site), allow_guard="0123456789ab")
    answer = box.client.post("/v1/apply", path=str(box.site), allow_guard=answer["plan"]["id"])
    assert answer["result"] == "applied"
    box.ready()
    assert sorted(box.engine.observe()["users"]) == ["pablo", "theo"]


def test_missing_interface_is_waited_for_and_served_when_it_appears(box: Box, neighbour: str) -> None:
    box.edit(SITE.replace("interface: eth0", "interface: [eth0, usb0]"))
    box.start("--datapath", "null")
    status = box.until(lambda status: condition(status, "Ready")[1] == "InterfaceMissing", "the complaint")
    assert "usb0" in condition(status, "Ready")[2]
    links.create_veth("usb0", "usb0", neighbour)
    box.ready()
    links.delete("usb0")
    box.until(lambda status: condition(status, "Ready")[1] == "InterfaceMissing", "the complaint again")
    links.create_veth("usb0", "usb0", neighbour)
    box.ready()
    assert sorted(box.engine.observe()["listeners"]) == ["eth0", "usb0"]


def test_link_that_is_down_is_said_but_hinders_nothing(box: Box) -> None:
    links.bring("eth0", up=False)
    box.start("--datapath", "null")
    status = box.ready()
    assert "ip link set eth0 up" in condition(status, "InterfaceDown")[2]
    links.bring("eth0", up=True)
    box.until(lambda status: not condition(status, "InterfaceDown")[0], "the all-clear")


def test_address_in_use_on_another_device_is_said(box: Box) -> None:
    links.assign("eth0", "10.214.2.100", 24)
    box.start("--datapath", "tun")
    status = box.until(lambda status: condition(status, "AddressInUse")[0], "the warning")
    assert "eth0 on this machine" in condition(status, "AddressInUse")[2]


def test_address_in_use_by_another_host_is_said(box: Box, neighbour: str) -> None:
    with netns.inside(neighbour):
        links.assign("eth0", "10.214.2.100", 24)
        mac = next(link.mac for link in netlink.links() if link.name == "eth0")
    box.start("--datapath", "tun")
    status = box.until(lambda status: condition(status, "AddressInUse")[0], "the warning")
    assert f"{mac} on eth0" in condition(status, "AddressInUse")[2]
    assert condition(status, "Ready")[0], "it is a warning"


def test_sigterm_leaves_the_engine_for_the_next_run(box: Box) -> None:
    first = box.start("--datapath", "tun")
    box.ready()
    pid = box.engine.hello()["pid"]
    assert box.finish(first) == 0
    assert box.engine.hello()["pid"] == pid
    assert sysctl.read(IP_FORWARD) == 1
    box.start("--datapath", "tun")
    status = box.ready()
    assert (status["engine"]["pid"], status["generation"], status["drift"]) == (
        pid,
        {"desired": 1, "applied": 1},
        [],
    )


def test_killed_reconciler_leaves_the_engine_for_the_next_run(box: Box) -> None:
    first = box.start("--datapath", "null")
    pid = box.ready()["engine"]["pid"]
    first.kill()
    first.wait()
    box.start("--datapath", "null")
    assert box.ready()["engine"]["pid"] == pid


def test_killed_engine_is_replaced_and_set_up_anew(box: Box) -> None:
    box.start("--datapath", "null")
    pid = box.ready()["engine"]["pid"]
    os.kill(pid, signal.SIGKILL)
    box.until(lambda status: (status["engine"] or {}).get("pid") not in {None, pid}, "another engine")
    status = box.ready()
    assert status["generation"] == {"desired": 1, "applied": 1}
    assert "theo" in box.engine.observe()["users"]
    assert status["drift"] == [], "a new engine is no drift"


def test_second_reconciler_says_so_and_exits(box: Box) -> None:
    box.start("--datapath", "null")
    box.ready()
    assert box.start("--datapath", "null").wait(PATIENCE) == 1
    assert "another reconciler" in box.log.read_text()


def test_release_puts_everything_back(box: Box) -> None:
    process = box.start("--datapath", "tun", "--release")
    device = box.ready()["device"]
    pid = box.engine.hello()["pid"]
    assert box.finish(process) == 0
    wait_for_end(pid)
    assert (sysctl.read(IP_FORWARD), sysctl.read(PROXY_ARP)) == (0, 0)
    assert device not in {link.name for link in netlink.links()}


def test_a_change_on_trial_is_undone_when_its_time_is_up(box: Box) -> None:
    box.start("--datapath", "null")
    box.ready()
    box.client.post("/v1/pause", by="operator")
    box.edit(SITE.replace("SERVER", "OTHER"))
    seen = sha256(box.site.read_bytes()).hexdigest()
    box.until(lambda status: status["source"]["sha256"] == seen, "the look at the edit, the last for an hour")
    said = box.client.post("/v1/apply", confirm_within=0.5, by="operator")
    assert said["confirm"]["generation"] == 2
    status = box.until(lambda status: status["confirm"] is None, "the undo")
    assert status["generation"]["applied"] == 3
    assert box.engine.observe()["settings"]["ac_name"] == "SERVER"


def test_once_converges_and_leaves_the_engine_serving(box: Box) -> None:
    assert box.start("--datapath", "null", "--once").wait(PATIENCE) == 0
    assert box.engine.observe()["listeners"].keys() == {"eth0"}
    box.edit(SITE + "".join(f"  u{number}: x\n" for number in range(8)))
    assert box.start("--datapath", "null", "--once").wait(PATIENCE) == 0
    box.edit(SITE)
    assert box.start("--datapath", "null", "--once").wait(PATIENCE) == 4
    box.edit(SITE.replace("eth0", "usb0") + "".join(f"  u{number}: x\n" for number in range(8)))
    assert box.start("--datapath", "null", "--once").wait(PATIENCE) == 3
    box.edit("nonsense")
    assert box.start("--datapath", "null", "--once").wait(PATIENCE) == 1


def test_once_without_a_good_file_leaves_nothing_behind(box: Box) -> None:
    box.edit("nonsense")
    assert box.start("--datapath", "null", "--once").wait(PATIENCE) == 1
    with pytest.raises(NoEngineError):
        box.engine.hello()


def test_an_address_for_metrics_that_is_taken_is_said_at_once(box: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert box.start("--datapath", "null", "--metrics-listen", address).wait(PATIENCE) == 1
    assert f"error: cannot listen on {address} for metrics: Address already in use\n" in box.log.read_text()
    with pytest.raises(NoEngineError):
        box.engine.hello()


def test_without_root_one_line_says_what_is_missing(box: Box) -> None:
    assert box.start(prefix=WITHOUT_RIGHTS).wait(PATIENCE) == 1
    why = "not allowed to make a TUN device: run as root, or with CAP_NET_ADMIN"
    said = box.log.read_text()
    assert said.startswith(f"error: the engine cannot be started: {why} (no ebpf: ")
    assert said.count("\n") == 1


def test_without_packet_sockets_the_status_says_what_is_missing(box: Box) -> None:
    box.edit(SITE.replace("forwarding: {ip_forward: true, proxy_arp: true}\n", ""))
    box.start("--datapath", "null", prefix=WITHOUT_RIGHTS)
    status = box.until(lambda status: condition(status, "Ready")[1] == "NotPermitted", "the complaint")
    assert "CAP_NET_RAW" in condition(status, "Ready")[2]
