"""Debian's pppd under load: iperf3 both ways through its session, in packets of every size."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.lab.sandbox import Sandbox
from reconciler.lab.topology import FAR_ADDRESS
from tests.patience import PATIENCE
from tests.root.guest.pppd import Pppd
from tests.root.traffic import serving

pytestmark = [pytest.mark.root, pytest.mark.guest]

# Of UDP no more than a socket's queue takes, since the guest has one slow processor.
LOADS = {
    "TCP up": ("-n", "2M"),
    "TCP down": ("-n", "2M", "-R"),
    "UDP up": ("-u", "-b", "5M", "-n", "64K", "-l", "1464"),
    "UDP down": ("-u", "-b", "5M", "-n", "64K", "-l", "1464", "-R"),
    "fragments up": ("-u", "-b", "5M", "-n", "64K", "-l", "4000"),
    "fragments down": ("-u", "-b", "5M", "-n", "64K", "-l", "4000", "-R"),
}


def iperf3(pppd: Pppd, *arguments: str) -> dict[str, Any]:
    done = pppd.run(
        "env", "TMPDIR=/run", "timeout", str(PATIENCE), "iperf3", "-c", FAR_ADDRESS, "-J", *arguments
    )
    said = json.loads(done.output[done.output.index("{") :])  # behind what it warns of
    assert "error" not in said, said["error"]
    return dict(said["end"])


@pytest.mark.timeout(600)
def test_X1_iperf3_both_ways_through_pppd(subscriber: Callable[[], Pppd], sandbox: Sandbox) -> None:
    pppd = subscriber()
    assert pppd.dial("theo", "test").up
    with serving(sandbox.topology.namespace("far")):
        said = {name: iperf3(pppd, *arguments) for name, arguments in LOADS.items()}
    for name, end in said.items():
        if name.startswith("TCP"):
            assert end["sum_received"]["bytes"] >= 1 << 20, f"{name}: {end}"
        else:
            assert end["sum"]["lost_percent"] < 1, f"{name}: {end['sum']}"
    (session,) = sandbox.instance.sessions()
    assert min(session["rx_bytes"], session["tx_bytes"]) > 2 << 20
