"""Slow questions are answered beside the loop: few at once, a bounded number waiting, none for nobody."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.engine.access.effects import Ask, Key
from reconciler.engine.access.reasons import Refusal
from reconciler.engine.access.secret import Scrypt
from reconciler.engine.access.users import Question
from reconciler.engine.workers import Answer, Workers

pytestmark = pytest.mark.interpreted

KEY = Key("eth0", (), b"\x02\0\0\0\0\1", 7)
PATIENCE = 30.0


class Riddle(Question):
    """Answered when the test says so."""

    def __init__(self, good: bool | Exception = True) -> None:
        super().__init__(b"theo", b"test", Scrypt(2, 1, 1, b"", b"k"), Refusal.WRONG_PASSWORD)
        object.__setattr__(self, "good", good)
        object.__setattr__(self, "begun", threading.Event())
        object.__setattr__(self, "solved", threading.Event())

    good: bool | Exception
    begun: threading.Event
    solved: threading.Event

    def answer(self) -> bool:
        self.begun.set()
        assert self.solved.wait(PATIENCE)
        if isinstance(self.good, Exception):
            raise self.good
        return self.good


def ask(number: int, riddle: Riddle) -> Ask:
    return Ask(KEY, number, riddle)


@contextmanager
def working(unwanted: set[int] | None = None, *, threads: int = 2, room: int = 8) -> Iterator[Workers]:
    workers = Workers(lambda ask: ask.number not in (unwanted or ()), threads, room)
    try:
        yield workers
    finally:
        workers.close()


def answers(workers: Workers, count: int) -> list[Answer]:
    """So many answers, as they come."""
    poll = select.poll()
    poll.register(workers.fileno(), select.POLLIN)
    found: list[Answer] = []
    while len(found) < count:
        assert poll.poll(PATIENCE * 1000), "no answer"
        found += workers.answers()
    return found


def test_a_question_is_answered_with_its_key_and_number() -> None:
    with working() as workers:
        for number, good in ((1, True), (2, False)):
            riddle = Riddle(good)
            riddle.solved.set()
            assert workers.ask(ask(number, riddle))
            assert answers(workers, 1) == [(KEY, number, good)]


def test_so_many_are_answered_at_once_and_the_rest_wait() -> None:
    with working(threads=2) as workers:
        riddles = [Riddle() for _ in range(3)]
        for number, riddle in enumerate(riddles):
            workers.ask(ask(number, riddle))
        assert riddles[0].begun.wait(PATIENCE)
        assert riddles[1].begun.wait(PATIENCE)
        assert not riddles[2].begun.is_set()
        for riddle in riddles:
            riddle.solved.set()
        assert sorted(answer.number for answer in answers(workers, 3)) == [0, 1, 2]


def test_there_is_only_so_much_room_and_it_comes_back() -> None:
    with working(threads=1, room=2) as workers:
        riddles = [Riddle() for _ in range(5)]
        taken = [workers.ask(ask(number, riddle)) for number, riddle in enumerate(riddles)]
        assert taken == [True, True, True, False, False], "one at work, two waiting"
        for riddle in riddles:
            riddle.solved.set()
        assert [answer.number for answer in answers(workers, 3)] == [0, 1, 2]
        assert workers.ask(ask(3, riddles[3]))
        assert [answer.number for answer in answers(workers, 1)] == [3]


def test_A20_what_nobody_waits_for_any_more_is_passed_over() -> None:
    unwanted: set[int] = set()
    with working(unwanted, threads=1) as workers:
        first, void, last = riddles = [Riddle() for _ in range(3)]
        for number, riddle in enumerate(riddles):
            workers.ask(ask(number, riddle))
        unwanted.add(1)
        for riddle in riddles:
            riddle.solved.set()
        assert [answer.number for answer in answers(workers, 2)] == [0, 2]
        assert first.begun.is_set()
        assert last.begun.is_set()
        assert not void.begun.is_set()


def test_a_hash_that_the_machine_cannot_check_leaves_the_thread_alive() -> None:
    with working(threads=1) as workers:
        for number, trouble in enumerate((MemoryError(), ValueError())):
            riddle = Riddle(trouble)
            riddle.solved.set()
            workers.ask(ask(number, riddle))
        assert [(answer.number, answer.good) for answer in answers(workers, 2)] == [(0, None), (1, None)]
        riddle = Riddle()
        riddle.solved.set()
        workers.ask(ask(9, riddle))
        assert answers(workers, 1) == [(KEY, 9, True)]


def test_no_thread_is_started_before_there_is_a_question() -> None:
    before = set(threading.enumerate())  # of an earlier test's, some may end at any moment
    with working():
        assert set(threading.enumerate()) <= before
