"""Every reason that there is has an explanation, and no other."""

from __future__ import annotations

import string

import pytest

from reconciler.engine.access.reasons import End, Refusal
from reconciler.engine.ppp.outputs import Reason
from reconciler.engine.wire.drop import Drop
from reconciler.loop.telling.explain import (
    ENDED,
    FAILED_IN,
    IGNORED,
    REFUSED,
    ROGUE,
    UNANSWERED,
    WINDOWS,
    Explanation,
    explanation,
)
from reconciler.probe.outcome import Phase

OURS = {"terminated_by_operator"}
"""Reasons that the reconciler gives to the engine."""

ALL = [*REFUSED.values(), *ENDED.values()]


def test_every_reason_of_the_engine_is_explained_and_no_other() -> None:
    assert REFUSED.keys() == {str(reason) for reason in Refusal}
    assert ENDED.keys() == {str(reason) for reason in (*End, *Reason)} | OURS
    assert {*IGNORED, ROGUE} <= {str(reason) for reason in Drop}


@pytest.mark.parametrize("means", ALL, ids=lambda means: means.says)
def test_an_explanation_is_a_clause_with_numbers_that_windows_knows(means: Explanation) -> None:
    for clause in filter(None, (means.says, means.advice)):
        assert not clause.endswith(".")
        assert clause[0].islower(), clause
    assert set(means.windows) <= WINDOWS.keys()
    fields = {field for _, field, _, _ in string.Formatter().parse(means.advice) if field}
    assert fields <= {"user", "mac", "interface"}


def test_a_refusal_shows_itself_as_691_first_and_an_unanswered_call_as_651_or_678() -> None:
    assert {means.windows[0] for means in REFUSED.values()} == {691}
    assert UNANSWERED[:2] == (651, 678)


def test_no_number_is_listed_that_nothing_leads_to() -> None:
    assert {number for means in ALL for number in means.windows} == WINDOWS.keys()


def test_every_phase_in_which_a_call_can_fail_has_its_numbers() -> None:
    assert FAILED_IN.keys() == {str(phase) for phase in Phase} - {"ending", "dead"}
    assert {number for numbers in FAILED_IN.values() for number in numbers} <= WINDOWS.keys()


def test_a_word_from_a_newer_engine_explains_itself() -> None:
    assert explanation("session_closed", "moon_eclipse") == Explanation("moon eclipse")
