"""A real scrape over TCP, read by a parser that is not ours, before and after the engine's end."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.patience import PATIENCE
from tests.root import test_upgrade
from tests.root.box import Box
from tests.root.crowd import Crowd
from tests.root.wire import Cable

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

SITE = test_upgrade.SITE
Series = tuple[str, tuple[tuple[str, str], ...]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def scrape(port: int) -> dict[str, Metric]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        return {family.name: family for family in text_string_to_metric_families(answer.read().decode())}


def values(families: dict[str, Metric]) -> dict[Series, float]:
    """What only ever rises: counters, and the parts of histograms."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families.values()
        if family.type in ("counter", "histogram")
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def one(families: dict[str, Metric], name: str, **labels: str) -> float:
    samples = (sample for family in families.values() for sample in family.samples)
    return next(sample.value for sample in samples if sample.name == name and sample.labels == labels)


def test_what_is_scraped_is_true_and_counters_fall_only_where_their_process_has_ended(
    box: Box, cable: Cable
) -> None:
    port = free_port()
    box.start("--datapath", "tun", "--metrics-listen", f"127.0.0.1:{port}")
    engine = box.ready()["engine"]["pid"]
    with Crowd(cable, ("u0", "u1", "u2")) as crowd:
        crowd.until_up()
        before = scrape(port)
        assert one(before, "reconciler_logins_total", method="pap", result="accepted", reason="") == 3
        assert one(before, "reconciler_session_setup_seconds_count") == 3
        assert 0 < one(before, "reconciler_session_setup_seconds_sum") < 30
        assert one(before, "reconciler_sessions", state="opened") == 3
        assert one(before, "reconciler_interface_receive_packets_total", interface="eth0") >= 3
        assert one(before, "reconciler_process_resident_memory_bytes", process="engine") > 1 << 20

        os.kill(engine, signal.SIGKILL)
        box.until(lambda status: (status["engine"] or {}).get("pid") not in (None, engine), "another engine")
        box.ready()
        crowd.until_answered()
        after = scrape(port)
        assert crowd.lost() == {}
    started = "reconciler_process_start_time_seconds"
    assert one(after, started, process="engine") > one(before, started, process="engine")
    assert one(after, started, process="daemon") == one(before, started, process="daemon")
    old, new = values(before), values(after)
    fallen = {name for (name, labels), value in old.items() if new.get((name, labels), 0.0) < value}
    assert fallen <= {
        "reconciler_logins_total",
        "reconciler_session_setup_seconds_bucket",
        "reconciler_session_setup_seconds_count",
        "reconciler_session_setup_seconds_sum",
        "reconciler_dropped_frames_total",
        "reconciler_process_cpu_seconds_total",
    }, "what the engine counts begins anew; traffic, and what the daemon counts, goes on"
    for way in ("receive", "transmit"):
        name = f"reconciler_interface_{way}_bytes_total"
        assert one(after, name, interface="eth0") > one(before, name, interface="eth0")
