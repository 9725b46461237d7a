"""The eBPF data path under real traffic: a strict subscriber finds nothing wrong, each octet is counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.root.engine import Engine
from tests.root.traffic import StrictPeer, far, iperf3, serving

pytestmark = [
    pytest.mark.root,
    pytest.mark.timeout(240),
    pytest.mark.parametrize("engine", ["ebpf"], indirect=True),
]

MAC = "02c100000001"
UDP_SEGMENT = 103
COUNTERS = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes")


@pytest.fixture
def server(engine: Engine, namespace: str) -> Iterator[str]:
    """The far side, with an iperf3 server."""
    engine.serve("theo", "pablo")
    engine.lead()
    with far(namespace) as name, serving(name):
        yield name


def assert_exact(engine: Engine, peer: StrictPeer) -> None:
    """What was counted here is what the subscriber sent and got."""
    (view,) = [view for view in engine.sessions() if view["address"] == peer.address]
    assert {key: view[key] for key in COUNTERS} == {
        "rx_packets": peer.report["tx_packets"],
        "rx_bytes": peer.report["tx_bytes"],
        "tx_packets": peer.report["rx_packets"],
        "tx_bytes": peer.report["rx_bytes"],
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("-n", "20M"),
        ("-n", "20M", "-R"),
        ("-n", "5M", "-P", "4", "--bidir"),
        ("-u", "-b", "20M", "-n", "4M", "-l", "1400"),
        ("-u", "-b", "20M", "-n", "4M", "-l", "1464", "-R"),
        ("-u", "-b", "20M", "-n", "4M", "-l", "4000"),
        ("-u", "-b", "20M", "-n", "4M", "-l", "4000", "-R"),
        ("-u", "-b", "2M", "-n", "64K", "-l", "16", "-R"),
    ],
    ids=" ".join,
)
def test_X1_X2_every_frame_under_load_is_right_and_counted(
    engine: Engine, server: str, neighbour: str, arguments: tuple[str, ...]
) -> None:
    with StrictPeer(neighbour, "theo", MAC) as peer:
        said = iperf3(neighbour, *arguments)
    assert peer.report["faults"] == []
    if "sum_received" in said:
        assert said["sum_received"]["bytes"] > 0
    assert_exact(engine, peer)
    drops = engine.observe()["drops"]
    assert {"unsegmented", "too_big", "truncated_data"}.isdisjoint(drops), drops
