"""What the engine counts of logins and ends, from the events of a bench in virtual time."""

from __future__ import annotations

from reconciler.engine.access.effects import Event
from reconciler.engine.counts import Counts, Durations
from tests.engine.access.bench import Bench
from tests.engine.access.test_concentrator import subscriber


def counted(bench: Bench) -> Counts:
    counts = Counts()
    for effect in bench.log:
        if isinstance(effect, Event):
            counts.take(effect)
    return counts


def test_a_login_is_counted_by_its_method_and_timed_from_its_padr() -> None:
    bench = Bench()
    bench.configure(auth=["chap"])
    bench.dial(subscriber(1, "theo"))
    counts = counted(bench)
    assert counts.logins == {("chap", "accepted", ""): 1}
    view = counts.setup.view()
    assert (sum(view["counts"]), view["sum"] < 2.0) == (1, True)


def test_each_refusal_is_counted_by_its_reason() -> None:
    bench = Bench()
    bench.dial(subscriber(1, "theo", password="guess"))
    bench.dial(subscriber(2, "nobody"))
    counts = counted(bench)
    assert {(result, reason) for _, result, reason in counts.logins} == {
        ("refused", "wrong_password"),
        ("refused", "unknown_user"),
    }
    assert sum(counts.setup.view()["counts"]) == 0


def test_addresses_that_are_agreed_on_anew_are_no_new_login() -> None:
    bench = Bench()
    bench.dial(subscriber(1, "theo"))
    again = next(event for event in bench.log if isinstance(event, Event))._replace(setup=None)
    counts = counted(bench)
    counts.take(again)
    assert sum(counts.logins.values()) == 1


def test_an_end_is_counted_by_its_reason() -> None:
    bench = Bench()
    theo = bench.dial(subscriber(1, "theo"))
    bench.to_ac(theo.hangup(bench.now, polite=False))
    assert counted(bench).closed == {"padt_received": 1}


def test_a_time_counts_in_the_first_bound_that_it_does_not_exceed() -> None:
    durations = Durations()
    for seconds in (0.01, 0.011, 40.0):
        durations.observe(seconds)
    counts = durations.view()["counts"]
    assert (counts[0], counts[1], counts[-1], sum(counts)) == (1, 1, 1, 3)
