"""Every ping is accounted for: answered, late, lost, or still waited for."""

from __future__ import annotations

from reconciler.probe.pinger import KEPT, PATIENCE, Ledger


def account(ledger: Ledger) -> tuple[int, int, int, int, int]:
    report = ledger.report()
    return report["sent"], report["received"], report["late"], report["waiting"], report["lost"]


def test_an_answer_is_received_and_timed() -> None:
    ledger = Ledger("8.8.8.8")
    seq = ledger.send(100.0)
    assert account(ledger) == (1, 0, 0, 1, 0)
    ledger.receive(seq, 100.002)
    assert account(ledger) == (1, 1, 0, 0, 0)
    assert ledger.report()["rtt_max"] == 2.0


def test_a_missing_answer_is_lost_after_the_patience_and_told_with_its_time() -> None:
    ledger = Ledger("8.8.8.8")
    first, second = ledger.send(100.0), ledger.send(100.2)
    ledger.receive(second, 100.3)
    ledger.expire(100.0 + PATIENCE - 0.01)
    assert account(ledger) == (2, 1, 0, 1, 0)
    ledger.expire(100.0 + PATIENCE)
    assert account(ledger) == (2, 1, 0, 0, 1)
    assert ledger.report()["losses"] == [{"seq": first, "at": 100.0, "error": None}]


def test_an_answer_after_that_is_late_and_not_lost() -> None:
    ledger = Ledger("8.8.8.8")
    seq = ledger.send(100.0)
    ledger.expire(110.0)
    ledger.receive(seq, 110.5)
    assert account(ledger) == (1, 1, 1, 0, 0)
    assert ledger.report()["losses"] == []


def test_what_cannot_be_sent_is_lost_at_once_with_the_reason() -> None:
    ledger = Ledger("8.8.8.8")
    ledger.fail(ledger.send(100.0), "Network is unreachable")
    assert account(ledger) == (1, 0, 0, 0, 1)
    assert ledger.report()["losses"][0]["error"] == "Network is unreachable"


def test_a_duplicate_or_a_foreign_answer_counts_for_nothing() -> None:
    ledger = Ledger("8.8.8.8")
    seq = ledger.send(100.0)
    for low in (seq, seq, seq + 1, 0):
        ledger.receive(low, 100.1)
    assert account(ledger) == (1, 1, 0, 0, 0)


def test_sequence_numbers_run_past_what_the_wire_carries() -> None:
    ledger = Ledger("8.8.8.8")
    for number in range(70_000):
        ledger.receive(ledger.send(float(number)) & 0xFFFF, float(number))
    assert account(ledger) == (70_000, 70_000, 0, 0, 0)


def test_losses_are_all_counted_and_only_the_last_are_kept() -> None:
    ledger = Ledger("8.8.8.8")
    for number in range(KEPT + 5):
        ledger.send(float(number))
    ledger.expire(1e9)
    report = ledger.report()
    assert (report["lost"], len(report["losses"]), report["losses"][0]["seq"]) == (KEPT + 5, KEPT, 6)
