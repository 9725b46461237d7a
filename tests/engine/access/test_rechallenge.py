"""Subscribers who are asked again who they are: what becomes of their sessions."""

from __future__ import annotations

import pytest

from tests.engine.access.bench import Bench, user
from tests.peer import Quirks, Subscriber

MAC = bytes.fromhex("02c100000001")


def bench_with(method: str) -> tuple[Bench, Subscriber]:
    bench = Bench()
    bench.configure(rechallenge=60, auth=["mschapv2", "chap", "mschap"])
    theo = bench.dial(Subscriber(MAC, b"theo", b"test", Quirks(methods=(method,))))
    assert theo.state == "up"
    return bench, theo


@pytest.mark.parametrize("method", ["chap", "mschapv2", "mschap"])
def test_A15_who_answers_well_notices_nothing(method: str) -> None:
    bench, theo = bench_with(method)
    paths = dict(bench.paths)
    bench.log.clear()
    bench.advance(600)
    assert theo.state == "up"
    assert bench.paths == paths
    assert bench.events("session_opened") == bench.events("session_closed") == []
    assert len(bench.concentrator) == 1


def test_A15_who_has_another_password_by_now_is_put_out() -> None:
    bench, theo = bench_with("chap")
    bench.put(user("theo", "changed"))
    bench.advance(120)
    assert theo.state != "up"
    assert bench.events("login_refused") == [(b"theo", "wrong_password")]
    assert bench.events("session_closed") == [(b"theo", "auth_failed")]
    assert bench.paths == {}


def test_A15_who_comes_as_somebody_else_is_put_out() -> None:
    bench, theo = bench_with("chap")
    theo.ppp.user = b"pablo"
    bench.advance(120)
    assert bench.events("login_refused") == [(b"pablo", "other_user")]
    assert bench.paths == {}
