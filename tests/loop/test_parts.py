"""The small parts of the loop: accounts, the book of drift, events, conditions, advice."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from reconciler.engine.access.reasons import End
from reconciler.engine.messages import SessionKey, SessionView
from reconciler.linux.errors import KernelError
from reconciler.loop import accounts
from reconciler.loop.advice import Advice, Question, verdict
from reconciler.loop.conditions import Board
from reconciler.loop.drift import KEPT, Ledger
from reconciler.loop.reading.goal import Goal
from reconciler.loop.reading.intake import Intake
from reconciler.loop.report import Again, Blocked, Report, Settled
from reconciler.loop.telling.events import Events
from reconciler.plan.change import Change
from reconciler.resources.base import Failure
from reconciler.site.impact import Impact
from tests.fakes.kernel import FakeKernel
from tests.fakes.sites import wanted
from tests.patience import PATIENCE

NOW = 1_760_000_000.0
LOOKS = (NOW, NOW + 0.25)


def session(number: int, **more: object) -> SessionView:
    view: SessionView = {
        "user": "theo",
        "address": "10.0.0.8",
        "peer": "10.0.0.1",
        "mac": f"02:00:00:00:00:{number:02x}",
        "id": number,
        "interface": "eth1",
        "circuit_id": None,
        "remote_id": None,
        "state": "opened",
        "since": NOW,
        "uptime": 5.0,
        "generation": 1,
        "stale": False,
        "rx_bytes": 0,
        "tx_bytes": 0,
        "rx_packets": 0,
        "tx_packets": 0,
        "rate": {"down": 0, "up": 0},
    }
    return {**view, **more}  # type: ignore[typeddict-item]


def test_accounts_miss_who_is_gone_changed_or_terminating() -> None:
    before = [session(n) for n in range(1, 6)]
    after = [
        session(1),
        session(2, since=NOW + 60),
        session(3, address="10.0.0.9"),
        session(4, state="terminate"),
    ]
    missing = accounts.missing(before, after, [accounts.key(before[4])])
    assert [view["id"] for view in missing] == [2, 3, 4]


def test_accounts_forgive_clock_jitter_and_a_login_that_completes() -> None:
    half = session(1, user=None, address=None, state="authenticate")
    assert accounts.missing([half], [session(1, since=NOW + 0.001)], []) == []


@pytest.mark.parametrize(
    ("ended", "reason", "breach"),
    [
        (True, "user_removed", "ended by this apply (user_removed)"),
        (True, None, "ended by this apply (no reason told)"),
        (False, None, "no reason told"),
        (False, "user_removed", "user_removed"),
        (False, "padt_received", None),
        (False, "replaced", None),
        (False, "terminated_by_operator", None),
    ],
)
def test_accounts_tell_our_doing_from_theirs(ended: bool, reason: str | None, breach: str | None) -> None:
    gone = session(1)
    key = accounts.key(gone)
    named = [{"interface": key[0], "mac": key[1], "id": key[2]}] if ended else []
    found = accounts.breaches([gone], named, {key: reason} if reason else {}, LOOKS)  # type: ignore[arg-type]
    assert [one.why for one in found] == ([breach] if breach else [])


def test_accounts_expect_no_reason_that_died_with_an_engine() -> None:
    gone, key = session(1), accounts.key(session(1))
    assert accounts.breaches([gone], [], {}, LOOKS, witnessed=False) == []
    assert accounts.breaches([gone], [], {key: "user_removed"}, LOOKS, witnessed=False) != []


def test_accounts_hold_nobody_lost_who_had_not_logged_in() -> None:
    """Nor whoever logs in after the look as a user whom the plan removes."""
    stranger = session(1, user=None)
    named: SessionKey = {"interface": "eth1", "mac": stranger["mac"], "id": 1}
    assert accounts.breaches([stranger], [], {}, LOOKS) == []
    assert accounts.breaches([stranger], [named], {accounts.key(stranger): "user_removed"}, LOOKS) == []


def test_commanded_reasons_are_the_engines_words() -> None:
    assert {str(reason) for reason in End} >= accounts.COMMANDED


def heal(path: str = "forwarding.ip_forward") -> Change:
    return Change("heal", path, False, True, Impact.NONE)


def test_drift_is_entered_once_and_closed_when_put_back() -> None:
    ledger = Ledger()
    assert [entry.path for entry in ledger.found([heal()], NOW)] == ["forwarding.ip_forward"]
    assert ledger.found([heal()], NOW + 1) == []
    assert [entry.path for entry in ledger.lasting] == ["forwarding.ip_forward"]
    assert [entry.healed for entry in ledger.settled([], NOW + 2)] == [NOW + 2]
    assert ledger.settled([], NOW + 3) == []
    assert not ledger.lasting


def test_drift_again_and_again_is_put_back_with_growing_pauses_until_it_is_quiet() -> None:
    ledger, pauses, now = Ledger(), [], NOW
    for _ in range(8):
        ledger.found([heal()], now)
        pauses.append(ledger.pause("forwarding.ip_forward", now))
        ledger.settled([], now)
    assert pauses == [0, 1, 2, 4, 8, 16, 30, 30]
    ledger.found([heal()], now + 61)
    assert ledger.pause("forwarding.ip_forward", now + 61) == 0


def test_a_clock_that_is_set_back_or_forward_keeps_nothing_from_being_put_back() -> None:
    ledger = Ledger()
    for _ in range(4):
        ledger.found([heal()], NOW)
        ledger.settled([], NOW)
    ledger.found([heal()], NOW)
    assert ledger.pause("forwarding.ip_forward", NOW) == 8
    assert ledger.pause("forwarding.ip_forward", NOW - 1e8) == 0
    assert ledger.pause("forwarding.ip_forward", NOW + 1e8) == 0


def test_book_of_drift_is_bounded() -> None:
    ledger = Ledger()
    ledger.found([heal(f"users.u{n}") for n in range(KEPT + 9)], NOW)
    ledger.settled([], NOW)
    assert len(ledger.entries) == KEPT


def test_events_are_numbered_bounded_and_waited_for() -> None:
    events = Events()
    for number in range(6000):
        events.note("drift_found", str(number), 1, NOW)
    kept = events.after(0)
    assert (len(kept), kept[0].number, kept[-1].number) == (5000, 1001, 6000)
    waiting: list[int] = []
    reader = threading.Thread(target=lambda: waiting.extend(e.number for e in events.after(6000, 30)))
    reader.start()
    events.note("drift_healed", "", 1, NOW)
    reader.join(5)
    assert waiting == [6001]


def test_closing_lets_everybody_go() -> None:
    events = Events()
    reader = threading.Thread(target=events.after, args=(0, 60))
    reader.start()
    events.close()
    reader.join(5)
    assert not reader.is_alive()


def goal(problem: str = "") -> Goal:
    wish = None if problem else wanted()
    return Goal(Path("/etc/site.yaml"), "s", wish, MappingProxyType({}), frozenset(), problem=problem)


def report(end: object = None, problem: str = "", doubtful: bool = False, **more: object) -> Report:
    source = goal(problem)
    return Report(end or Settled(), Intake(source, source, doubtful), 3, 3, **more)  # type: ignore[arg-type]


def ready(board: Board) -> tuple[bool, str, float]:
    one = next(condition for condition in board.conditions if condition.type == "Ready")
    return one.status, one.reason, one.since


def test_ready_remembers_since_when(caplog: pytest.LogCaptureFixture) -> None:
    board = Board(Events())
    board.take(report(), {}, 10.0)
    board.take(report(), {}, 20.0)
    assert ready(board) == (True, "Converged", 10.0)
    board.take(report(Blocked("RouteFailed", "no")), {}, 30.0)
    board.take(report(Blocked("AddressFailed", "no")), {}, 40.0)
    assert ready(board) == (False, "AddressFailed", 30.0)


def test_trouble_that_lasts_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    board = Board(Events())
    for now in range(5):
        board.take(report(Blocked("InterfaceMissing", "eth9 is not there")), {"InterfaceDown": "eth1"}, now)
    assert [record.getMessage() for record in caplog.records] == [
        "not Ready: eth9 is not there",
        "InterfaceDown: eth1",
    ]


def test_doubtful_reading_changes_no_condition() -> None:
    board = Board(Events())
    board.take(report(), {}, 1.0)
    board.take(report(Again(0.1, "SourceUnsettled", ""), "site.yaml: empty", doubtful=True), {}, 2.0)
    assert ready(board)[0]


def test_invalid_source_is_not_ready_though_the_last_good_one_holds() -> None:
    board = Board(Events())
    board.take(report(problem="site.yaml:3:1: bad"), {}, 1.0)
    assert ready(board)[:2] == (False, "SourceInvalid")
    board.take(report(), {}, 2.0)
    assert ready(board)[:2] == (True, "Converged")


def test_back_off_grows_to_a_limit_and_ends_with_success() -> None:
    board = Board(Events())
    delays = [board.take(report(Blocked("RouteFailed", "no")), {}, 0.0) for _ in range(10)]
    assert delays[:4] == [0.2, 0.4, 0.8, 1.6]
    assert delays[-1] == 30.0
    assert board.take(report(Blocked("EngineFailed", "no", 7.0)), {}, 0.0) == 7.0
    assert board.take(report(Again(0.3, "MoreToDo", "")), {}, 0.0) == 0.3
    assert board.take(report(), {}, 0.0) == float("inf")
    assert board.take(report(Blocked("RouteFailed", "no")), {}, 0.0) == 0.2


def test_breach_is_counted_logged_and_an_event(caplog: pytest.LogCaptureFixture) -> None:
    events = Events()
    board = Board(events)
    breach = accounts.Breach(session(19, user="th\x1beo"), "user_removed", LOOKS)
    board.take(report(breaches=(breach,)), {}, NOW)
    assert board.unpredicted_drops == 1
    record = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.getMessage() == (
        "session 0x0013 th\\x1beo on eth1 (02:00:00:00:00:13) ended though no plan named it: user_removed; "
        "seen 2025-10-09T08:53:20.000Z, missed 2025-10-09T08:53:20.250Z"
    )
    (told,) = [entry.event for entry in events.after(0)]
    assert (told["type"], told["reason"]) == ("unpredicted_drop", record.getMessage())


def test_failures_are_told_in_detail_on_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    failures = (Failure("kernel.route.10.0.0.0/8", "RouteFailed", "no"),)
    Board(Events()).take(report(Blocked("RouteFailed", "no"), failures=failures), {}, NOW)
    assert "kernel.route.10.0.0.0/8: no" in caplog.text


class Neighbours:
    def __init__(self, here: list[str] | None = None, there: dict[str, str] | None = None) -> None:
        self.devices = here or []
        self.hosts = there or {}
        self.asked = threading.Event()

    def here(self, _address: str) -> list[str]:
        self.asked.set()
        return self.devices

    def there(self, interface: str, _address: str) -> str | None:
        if interface == "down0":
            raise KernelError(100, "it is down")
        return self.hosts.get(interface)


QUESTION = Question("10.0.0.1", "tun0", ("down0", "eth1"))


def test_address_of_our_own_device_only_is_fine() -> None:
    assert verdict(QUESTION, Neighbours(["tun0"])) == ""


def test_address_on_another_device_of_this_machine_is_said() -> None:
    assert "eth7 on this machine" in verdict(QUESTION, Neighbours(["tun0", "eth7"]))


def test_address_of_another_host_is_said_past_an_interface_that_is_down() -> None:
    assert "in use by 02:01 on eth1" in verdict(QUESTION, Neighbours(["tun0"], {"eth1": "02:01"}))


def test_advice_asks_in_the_background_and_hints_when_the_answer_is_new() -> None:
    hinted = threading.Event()
    advice = Advice(FakeKernel(), Neighbours(["eth7"]), hinted.set)
    advice.start()
    assert "AddressInUse" not in advice.about(report())
    assert hinted.wait(PATIENCE)
    assert "eth7" in advice.about(report())["AddressInUse"]
    advice.close()


def test_advice_names_a_link_that_is_down() -> None:
    kernel = FakeKernel()
    kernel.interfaces["eth1"] = kernel.interfaces["eth1"]._replace(up=False)
    advice = Advice(kernel, Neighbours(), lambda: None)
    assert "ip link set eth1 up" in advice.about(report())["InterfaceDown"]


def test_board_without_a_report_after_a_bug_is_not_ready() -> None:
    board = Board(Events())
    board.broken("a pass failed", NOW)
    assert ready(board)[:2] == (False, "InternalError")
    assert not board.ready
    assert replace(board.conditions[0], since=0.0).message == "a pass failed"
