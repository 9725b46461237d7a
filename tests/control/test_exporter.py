"""The metrics on a TCP address: one page for scrapers, and nothing else for anybody."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.control.exporter import MOST_SCRAPERS, Address, Exporter, ListenError
from reconciler.metrics import CONTENT_TYPE
from tests.cli.conftest import Daemon
from tests.patience import PATIENCE

TEXT = "# HELP reconciler_engine_up Whether.\n# TYPE reconciler_engine_up gauge\nreconciler_engine_up 1\n"


@pytest.fixture(params=["127.0.0.1", "::1"])
def exporter(request: pytest.FixtureRequest) -> Iterator[Exporter]:
    made = Exporter(Address(request.param, 0), lambda: TEXT)
    made.start()
    yield made
    made.close()


def fetch(exporter: Exporter, path: str, data: bytes | None = None) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(f"http://{exporter.address}{path}", data, timeout=PATIENCE) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, "", ""


def test_a_scraper_gets_the_metrics(exporter: Exporter) -> None:
    assert fetch(exporter, "/metrics") == (200, CONTENT_TYPE, TEXT)
    assert fetch(exporter, "/metrics?name=x")[0] == 200


@pytest.mark.parametrize("path", ["/", "/v1/status", "/v1/sessions", "/metrics/"])
def test_there_is_nothing_else(exporter: Exporter, path: str) -> None:
    assert fetch(exporter, path)[0] == 404


def test_nothing_can_be_posted(exporter: Exporter) -> None:
    assert fetch(exporter, "/v1/sessions/terminate", b'{"users": ["theo"]}')[0] == 501


def test_who_holds_every_connection_keeps_nobody_out_afterwards(exporter: Exporter) -> None:
    family = socket.AF_INET6 if ":" in exporter.address.host else socket.AF_INET
    held = []
    for _ in range(MOST_SCRAPERS + 1):
        held.append(socket.socket(family))
        held[-1].connect((exporter.address.host, exporter.address.port))
    held[-1].settimeout(PATIENCE)
    assert held[-1].recv(1) == b"", "one too many: closed at once"
    for sock in held:
        sock.close()
    for _ in range(100):
        try:
            assert fetch(exporter, "/metrics")[0] == 200
            return
        except OSError:  # the server has not seen yet that they left
            continue
    raise AssertionError("no room was made")


def test_an_address_that_is_taken_is_said(exporter: Exporter) -> None:
    with pytest.raises(ListenError, match=r"^cannot listen on .* for metrics: Address already in use$"):
        Exporter(exporter.address, lambda: TEXT)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9101", Address("127.0.0.1", 9101)),
        ("0.0.0.0:0", Address("0.0.0.0", 0)),
        ("[::1]:9101", Address("::1", 9101)),
        ("[fe80:0::1]:9101", Address("fe80::1", 9101)),
    ],
)
def test_an_address_is_understood(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "9101", ":9101", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "1.2.3:80"),
        *("::1:9101", "[127.0.0.1]:9101", "[::1]", "127.0.0.1:９１０１", "localhost:9101"),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Address.parse(text)


def test_a_parser_that_is_not_ours_understands_a_scrape(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    daemon.loop.converge(10)
    daemon.engine.dial("theo")
    exporter = Exporter(Address("127.0.0.1", 0), lambda: daemon.service.metrics({})[1])
    exporter.start()
    try:
        text = fetch(exporter, "/metrics")[2]
        families = {family.name: family for family in text_string_to_metric_families(text)}
        assert families["reconciler_engine_up"].samples[0].value == 1
        assert families["reconciler_convergence_seconds"].type == "histogram"
        assert families["reconciler_logins"].type == "counter"
        assert {family.type for family in families.values()} == {"counter", "gauge", "histogram"}
        assert all(family.documentation for family in families.values())
    finally:
        exporter.close()
        daemon.close()
