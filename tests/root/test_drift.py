"""Drift of every class in the real kernel: the kernel tells of it, it is put back, and nothing else is
touched. How long it took is printed, not judged.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import pytest

from reconciler.linux import interface, links, netlink, sysctl
from reconciler.linux.errors import KernelError
from reconciler.linux.sysctl import IP_FORWARD, interface_key
from tests.root.box import SITE as PLAIN
from tests.root.box import Box, condition

pytestmark = pytest.mark.root

SITE = (
    PLAIN.replace("proxy_arp: true}", "proxy_arp: true, rp_filter: loose}")
    + "nat: {masquerade: eth0}\nclamp_mss: true\n"
)
FOREIGN = """
table ip reconciler-friend {
  chain forward {
    type filter hook forward priority 0
    accept
  }
}
table inet filter {
  chain input {
    type filter hook input priority 0
    tcp dport 22 accept
  }
}
"""


def nft(*arguments: str) -> str:
    return subprocess.run(["nft", *arguments], check=True, capture_output=True, text=True).stdout


def tables() -> set[str]:
    return {line.removeprefix("table ") for line in nft("list", "tables").splitlines()}


class Harm(NamedTuple):
    """What is done by hand, given the data path's device, and the path that tells of it."""

    path: str
    do: Callable[[str], object]


HARMS = (
    Harm("forwarding.ip_forward", lambda _: sysctl.write(IP_FORWARD, 0)),
    Harm("forwarding.proxy_arp.eth0", lambda _: sysctl.write(interface_key("eth0", "proxy_arp"), 0)),
    Harm("forwarding.rp_filter.eth0", lambda _: sysctl.write(interface_key("eth0", "rp_filter"), 1)),
    Harm("kernel.route.10.214.9.9/32", lambda device: netlink.remove_route("10.214.9.9/32", device)),
    Harm("kernel.address.10.214.2.100", lambda device: netlink.remove_address("10.214.2.100", 32, device)),
    Harm("kernel.mtu.", lambda device: interface.set_mtu(device, 1000)),
    Harm("kernel.up.", lambda device: links.bring(device, up=False)),
    Harm("nat.masquerade.eth0", lambda device: nft("delete", "table", "ip", f"reconciler-{device}-nat")),
    Harm("clamp_mss", lambda device: nft("flush", "chain", "ip", f"reconciler-{device}-mss", "forward")),
    Harm(
        "kernel.nft.nat.",
        lambda device: nft("insert", "rule", "ip", f"reconciler-{device}-nat", "postrouting", "accept"),
    ),
    Harm("kernel.nft.mss.", lambda device: nft(f"table ip reconciler-{device}-mss {{ flags dormant; }}")),
)


def drift(status: dict[str, Any], path: str) -> dict[str, Any]:
    """The entry of a path that begins so."""
    found: dict[str, Any] = next((one for one in status["drift"] if one["path"].startswith(path)), {})
    return found


def test_every_class_of_drift_is_told_by_the_kernel_and_put_back(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    nft(FOREIGN)
    before = tables()
    box.start("--datapath", "tun")
    device = box.ready()["device"]
    rules = json.loads(nft("-j", "list", "table", "ip", f"reconciler-{device}-nat"))
    took: list[str] = []
    for harm in HARMS:
        at = time.time()
        harm.do(device)

        def put_back(status: dict[str, Any], harm: Harm = harm, at: float = at) -> bool:
            entry = drift(status, harm.path)
            new = bool(entry) and datetime.fromisoformat(entry["since"]).timestamp() > at - 0.001
            return new and bool(entry["healed"]) and condition(status, "Ready")[0]

        entry = drift(box.until(put_back, f"the end of drift of {harm.path}"), harm.path)
        assert entry["from"] != entry["to"]
        noticed, healed = (datetime.fromisoformat(entry[key]).timestamp() - at for key in ("since", "healed"))
        took.append(
            f"  {harm.path:<30} noticed after {noticed * 1000:5.0f} ms, put back {healed * 1000:5.0f} ms"
        )
    assert sysctl.read(IP_FORWARD) == 1
    assert [found.address for found in netlink.addresses(device) if found.ours] == ["10.214.2.100"]
    assert {route.destination for route in netlink.routes(device)} == {"10.214.2.104/29", "10.214.9.9/32"}
    found = interface.read(device)
    assert (found.enabled, found.mtu) == (True, 1492)
    again = json.loads(nft("-j", "list", "table", "ip", f"reconciler-{device}-nat"))
    assert len(again["nftables"]) == len(rules["nftables"])
    assert before < tables()
    assert tables() - before == {f"ip reconciler-{device}-nat", f"ip reconciler-{device}-mss"}
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(took) + "\n")


def test_what_is_only_reported_is_left_until_it_is_to_be_put_back(box: Box) -> None:
    box.edit(f"{SITE}self_heal: report\n")
    box.start("--datapath", "tun")
    device = box.ready()["device"]
    harms = [harm for harm in HARMS if not harm.path.startswith(("kernel.up", "kernel.nft"))]
    for harm in harms:
        harm.do(device)
    status = box.until(
        lambda status: all(drift(status, harm.path) for harm in harms),
        "all the drift",
    )
    assert condition(status, "Drifted")[:2] == (True, "Reported")
    assert condition(status, "Ready")[0]
    assert (sysctl.read(IP_FORWARD), interface.read(device).mtu) == (0, 1000)
    plan = box.client.post("/v1/plan")["text"]
    assert "left so: self_heal.routes is report" in plan
    box.edit(SITE)
    box.until(lambda status: not condition(status, "Drifted")[0], "the healing")
    assert (sysctl.read(IP_FORWARD), interface.read(device).mtu) == (1, 1492)


def test_release_takes_our_tables_and_no_other(box: Box) -> None:
    nft(FOREIGN)
    before = nft("list", "ruleset")
    running = box.start("--datapath", "tun", "--release")
    device = box.ready()["device"]
    assert f"ip reconciler-{device}-nat" in tables()
    rp_filter = interface_key("eth0", "rp_filter")
    assert sysctl.read(rp_filter) == 2
    assert box.finish(running) == 0, box.log.read_text()
    assert nft("list", "ruleset") == before
    assert sysctl.read(rp_filter) == 0
    assert "ERROR" not in box.log.read_text()


def test_a_table_that_an_earlier_device_left_is_taken_away(box: Box) -> None:
    running = box.start("--datapath", "tun")
    device = box.ready()["device"]
    assert box.finish(running) == 0
    box.engine.shutdown()
    box.engine.close()
    box.start("--datapath", "null")
    box.until(lambda status: condition(status, "Ready")[0] and not tables(), f"the end of {device}'s tables")


WITHOUT_NFT = (
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount --bind /dev/null "$(command -v nft)"; exec "$@"',
    "sh",
)


def test_without_nft_what_was_asked_for_is_blocked_and_says_what_to_install(box: Box) -> None:
    box.start("--datapath", "tun", prefix=WITHOUT_NFT)
    status = box.until(lambda status: condition(status, "Ready")[1] == "NftablesMissing", "the complaint")
    assert "apt install nftables" in condition(status, "Ready")[2]
    box.edit(PLAIN)
    status = box.ready()
    assert condition(status, "SegmentsNotClamped")[0], "nobody asked for it, so it is only said"
    box.edit(f"{PLAIN}clamp_mss: false\n")
    box.until(lambda status: not condition(status, "SegmentsNotClamped")[0], "the all-clear")


def test_a_source_that_may_not_be_read_is_said_and_costs_nothing(box: Box) -> None:
    box.start(
        "--datapath",
        "null",
        prefix=("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"),
    )
    box.ready()
    box.site.chmod(0)
    status = box.until(lambda status: condition(status, "SourceInvalid")[0], "the complaint")
    assert condition(status, "SourceInvalid")[1] == "PermissionDenied"
    sysctl.write(IP_FORWARD, 0)
    box.until(lambda status: bool(drift(status, "forwarding.ip_forward").get("healed")), "the healing")
    box.site.chmod(0o600)
    box.ready()


def test_the_kernel_refuses_rules_in_plain_words(namespace: str) -> None:
    from reconciler.linux import nftables

    with pytest.raises(KernelError, match="cannot make the table x"):
        nftables.put("x", [{"rule": {"chain": "nowhere", "expr": [{"accept": None}]}}])
    assert nftables.read("x") is None
