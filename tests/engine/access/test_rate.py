"""Allowances: a burst, then the rate, never more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.access.rate import Allowance


def test_a_burst_at_once_then_one_at_a_time() -> None:
    allowance = Allowance(rate=10, burst=3)
    assert [allowance.take(5.0) for _ in range(4)] == [True, True, True, False]
    assert not allowance.take(5.05)
    assert [allowance.take(5.11) for _ in range(2)] == [True, False]


@given(st.integers(1, 100), st.integers(1, 20), st.lists(st.floats(0, 0.5), max_size=200))
def test_never_more_than_the_burst_and_the_rate_together(rate: int, burst: int, pauses: list[float]) -> None:
    allowance, now, taken = Allowance(rate, burst), 0.0, 0
    for pause in pauses:
        now += pause
        taken += allowance.take(now)
    assert taken <= burst + rate * now + 0.01
