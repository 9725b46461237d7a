"""The metrics' form and names, and what a scrape of a small world says."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.loop.answering import gauges
from reconciler.loop.telling.events import TALLIED, Events
from reconciler.metrics import CATALOGUE, CONTENT_TYPE, Histogram, Sample, expose
from tests.cli.conftest import Daemon
from tests.generate import ROOT
from tests.loop.world import SITE, World, hear

LINE = re.compile(r'[a-z_]+(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? [0-9.+eInf-]+')


def scrape(world: World) -> str:
    engine = world.supervisor.client.counts()
    lasting = len(world.reconciler.ledger.lasting)
    return expose(gauges.samples(world.board, world.events.tally(), engine, 0, lasting))


def names(text: str) -> set[str]:
    """The metrics that a text has values of."""
    return {re.split(r"[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[World]:
    """A world in which something of everything has happened."""
    world = World(tmp_path)
    world.edit().settle()
    theo = world.engine.dial("theo")
    world.engine.dial("pablo")
    world.engine.tell("login_refused", theo, "wrong_password")
    world.engine.tell("dial_failed", theo, "auth_timeout")
    world.engine.hang_up(world.engine.dial("theo"), "padt_received")
    world.engine.drops["bad_cookie"] = 3
    hear(world.events, "session_closed")
    world.step()
    yield world
    world.close()


def test_the_text_form() -> None:
    text = expose(
        [
            Sample("reconciler_interface_up", True, ('e"th\\1\n',)),
            Sample("reconciler_generation_desired", 7),
        ]
    )
    assert text == (
        "# HELP reconciler_generation_desired The newest generation.\n"
        "# TYPE reconciler_generation_desired gauge\n"
        "reconciler_generation_desired 7\n"
        "# HELP reconciler_interface_up Whether a served interface is up.\n"
        "# TYPE reconciler_interface_up gauge\n"
        'reconciler_interface_up{interface="e\\"th\\\\1\\n"} 1\n'
    )


def test_a_histogram_counts_what_is_below_each_bound() -> None:
    histogram = Histogram()
    for seconds in (0.01, 0.05, 0.3, 1000.0):
        histogram.observe(seconds)
    lines = list(histogram.lines("x_seconds"))
    assert lines[:2] == ['x_seconds_bucket{le="0.025"} 1', 'x_seconds_bucket{le="0.05"} 2']
    assert lines[-3:] == ['x_seconds_bucket{le="+Inf"} 4', "x_seconds_sum 1000.36", "x_seconds_count 4"]


def test_a_metric_that_is_not_in_the_catalogue_cannot_be_shown() -> None:
    with pytest.raises(KeyError):
        expose([Sample("reconciler_surprise_total", 1)])


def test_names_follow_the_conventions() -> None:
    for metric in CATALOGUE:
        assert re.fullmatch(r"reconciler_[a-z_]+[a-z]", metric.name)
        assert (metric.kind == "counter") == metric.name.endswith("_total"), metric.name
        assert metric.help.endswith(".")
    assert len({metric.name for metric in CATALOGUE}) == len(CATALOGUE)


def test_every_metric_of_a_scrape_is_documented_and_every_documented_one_is_there(busy: World) -> None:
    page = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(reconciler_[a-z_]+)`", page, re.MULTILINE))
    shown = {re.sub(r"(?<=_seconds)_(bucket|sum|count)$", "", name) for name in names(scrape(busy))}
    assert shown == documented
    for line in scrape(busy).splitlines():
        assert line.startswith("# ") or LINE.fullmatch(line), line


def test_a_scrape_says_what_happened(busy: World) -> None:
    lines = scrape(busy).splitlines()
    assert {
        "reconciler_config_last_reload_successful 1",
        "reconciler_config_last_reload_success_timestamp_seconds 1760000000",
        "reconciler_generation_desired 1",
        "reconciler_generation_applied 1",
        'reconciler_condition{type="Ready"} 1',
        "reconciler_guard_held 0",
        "reconciler_convergence_seconds_count 1",
        "reconciler_unpredicted_drops_total 0",
        'reconciler_sessions{state="opened"} 2',
        'reconciler_sessions{state="terminate"} 0',
        'reconciler_logins_total{method="chap",result="accepted",reason=""} 3',
        'reconciler_logins_total{method="chap",result="refused",reason="wrong_password"} 1',
        'reconciler_session_setup_seconds_bucket{le="0.1"} 3',
        'reconciler_sessions_closed_total{reason="padt_received"} 1',
        'reconciler_dials_failed_total{reason="auth_timeout"} 1',
        'reconciler_dropped_frames_total{reason="bad_cookie"} 3',
        'reconciler_interface_sessions{interface="eth1"} 2',
        'reconciler_interface_receive_bytes_total{interface="eth1"} 1000',
        'reconciler_interface_transmit_packets_total{interface="eth1"} 20',
    } <= set(lines)
    assert any(line.startswith("reconciler_build_info{version=") for line in lines)


def test_trouble_shows(busy: World) -> None:
    busy.edit(SITE + "  yunhan: [").settle(3)
    lines = scrape(busy).splitlines()
    assert "reconciler_config_last_reload_successful 0" in lines
    assert 'reconciler_condition{type="Ready"} 0' in lines
    more = "".join(f"  u{number}: x\n" for number in range(20))
    busy.edit(SITE + more).settle()
    busy.edit(SITE).step()
    busy.step()
    lines = scrape(busy).splitlines()
    assert "reconciler_guard_held 1" in lines
    assert "reconciler_guard_holds_total 1" in lines
    assert "reconciler_generation_desired 3" in lines
    assert "reconciler_generation_applied 2" in lines


def test_drift_is_counted(busy: World) -> None:
    busy.kernel.routes.clear()
    busy.settle()
    lines = scrape(busy).splitlines()
    found = next(line for line in lines if line.startswith("reconciler_drift_found_total"))
    assert int(found.split()[1]) > 0
    assert found.replace("found", "healed") in lines
    assert "reconciler_drift_lasting 0" in lines


def test_no_subscriber_and_no_secret_is_named(busy: World) -> None:
    text = scrape(busy)
    assert not [word for word in ("theo", "pablo", "10.0.1.9", "02:00:00", 'one"', 'two"') if word in text]


def test_without_an_engine_the_rest_is_there(busy: World) -> None:
    text = expose(gauges.samples(busy.board, busy.events.tally(), None, 0, 0))
    assert "reconciler_engine_up 0" in text
    assert "reconciler_sessions{" not in text


def test_reasons_that_never_end_are_counted_together() -> None:
    events = Events()
    for number in range(TALLIED + 50):
        events.add(
            {
                "time": 0.0,
                "type": "session_closed",
                "user": None,
                "mac": "02:00:00:00:00:01",
                "id": 1,
                "interface": "eth1",
                "reason": f"r{number}",
                "generation": 1,
            }
        )
    assert len(events.tally()) == TALLIED + 1
    assert events.tally()["session_closed", "other"] == 50


def test_prometheus_can_scrape_the_control_socket(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    try:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(tmp_path / "control.sock"))
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Content-Type"]) == (200, CONTENT_TYPE)
        assert "reconciler_engine_up 1" in answer.read().decode()
        connection.close()
    finally:
        daemon.close()
