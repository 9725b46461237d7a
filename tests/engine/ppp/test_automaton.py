"""RFC 1661 §4.1, all 160 cells: what an endpoint sends, tells the layer above, and becomes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from reconciler.engine.ppp.automaton import TIMED, Event, Layer, State
from reconciler.engine.ppp.control import NEVER, Code
from reconciler.engine.ppp.ipv6cp import Ipv6cp
from reconciler.engine.ppp.outputs import Output
from reconciler.engine.ppp.policy import LinkPolicy
from reconciler.engine.wire.ppp import Packet

EVENTS = {
    "Up": Event.UP,
    "Down": Event.DOWN,
    "Open": Event.OPEN,
    "Close": Event.CLOSE,
    "TO+": Event.TO_PLUS,
    "TO-": Event.TO_MINUS,
    "RCR+": Event.RCR_PLUS,
    "RCR-": Event.RCR_MINUS,
    "RCA": Event.RCA,
    "RCN": Event.RCN,
    "RTR": Event.RTR,
    "RTA": Event.RTA,
    "RUC": Event.RUC,
    "RXJ+": Event.RXJ_PLUS,
    "RXJ-": Event.RXJ_MINUS,
    "RXR": Event.RXR,
}
SENDS = {"scr": 1, "sca": 2, "scn": 3, "str": 5, "sta": 6, "scj": 7, "ser": 10}
SUBJECT_CODES = {Event.RCR_PLUS: 2, Event.RCR_MINUS: 3, Event.RXR: 10}


def cells() -> list[tuple[str, int, str]]:
    with (Path(__file__).parent / "rfc1661_automaton.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    return [(row[0], state, cell) for row in rows for state, cell in enumerate(row[1:])]


def in_state(state: int) -> Ipv6cp:
    endpoint = Ipv6cp(LinkPolicy(b"AC"), 1500, bytes)
    endpoint.state = State(state)
    endpoint._heard = True  # the wait before the very first request is tested with `control`
    endpoint._transmissions = 7
    endpoint.deadline = 1e6 if endpoint.state in TIMED else NEVER
    return endpoint


def test_the_table_has_160_cells() -> None:
    assert len(cells()) == 160
    assert {event for event, _, _ in cells()} == set(EVENTS)


@pytest.mark.parametrize(("name", "state", "cell"), cells(), ids=lambda value: str(value))
def test_L_rfc1661_cell(name: str, state: int, cell: str) -> None:
    event, endpoint, out = EVENTS[name], in_state(state), list[Output]()
    subject: Packet = (SUBJECT_CODES.get(event, 1), 9, b"")
    if cell == "-":
        with pytest.raises(ValueError, match=event.name):
            endpoint._event(event, 5.0, out, subject)
        return

    layer = endpoint._event(event, 5.0, out, subject)

    letters, _, following = cell.rstrip("rpx").rpartition("/")
    actions = letters.split("+") if letters else []
    sent = [output[2] for output in out if isinstance(output, bytes)]
    assert sent == [SENDS[action] for action in actions if action in SENDS]
    assert layer == next((Layer(action) for action in actions if action.startswith("tl")), None)
    assert endpoint.state == int(following)
    check_counter_and_timer(endpoint, actions)


def check_counter_and_timer(endpoint: Ipv6cp, actions: list[str]) -> None:
    sends = sum(action in ("scr", "str") for action in actions)
    before = 0 if "irc" in actions else 7
    expected = endpoint.policy.max_terminate if "zrc" in actions else before + sends
    assert endpoint._transmissions == expected, "restart counter"
    if endpoint.state not in TIMED:
        assert endpoint.deadline == NEVER, "the restart timer runs in a state that has none"
    elif sends or "zrc" in actions:
        assert 5.0 < endpoint.deadline <= 5.0 + endpoint.policy.restart_timer
    else:
        assert endpoint.deadline == 1e6, "the restart timer was touched by an event that only passes"


def test_codes_have_their_numbers() -> None:
    assert [code.value for code in Code] == [1, 2, 3, 4, 5, 6, 7]
