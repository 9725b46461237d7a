"""A session's start looks the same whichever engine tells it."""

from __future__ import annotations

import pytest

from reconciler.engine import views

HERE = 1_760_000_000.25


@pytest.fixture(autouse=True)
def reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process took for Unix time at monotonic zero."""
    monkeypatch.setattr(views, "_EPOCH", HERE)


@pytest.mark.parametrize("off", [-0.5, -1e-6, 0.0, 0.003, 0.5])
def test_moments_are_told_as_the_engine_before_told_them(off: float) -> None:
    assert views.agree(HERE + off) == HERE + off
    assert views.unix_time(20.0) == HERE + off + 20.0


@pytest.mark.parametrize("earlier", [HERE - 7200.0, HERE + 1.5, None, "1760000000", {}])
def test_a_clock_that_was_set_since_counts_from_now_on(earlier: object) -> None:
    assert views.agree(earlier) == HERE
    assert views.unix_time(20.0) == HERE + 20.0
