"""The log: text for people, JSON lines for machines, and nothing that moves a cursor."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from reconciler import log

logger = logging.getLogger("reconciler")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = (logger.handlers[:], logger.propagate, logger.level)
    yield
    logger.handlers[:], logger.propagate = before[0], before[1]
    logger.setLevel(before[2])


def test_json_lines_where_nobody_watches() -> None:
    stream = io.StringIO()
    log.configure(stream=stream)
    logger.info("generation %d is in force", 3, extra={"generation": 3})
    line = json.loads(stream.getvalue())
    assert (line["level"], line["message"], line["generation"]) == ("info", "generation 3 is in force", 3)
    assert line["time"].endswith("Z")


def test_text_on_a_terminal() -> None:
    stream = Terminal()
    log.configure(stream=stream)
    logger.info("all is well")
    logger.warning("not Ready")
    first, second = stream.getvalue().splitlines()
    assert first.endswith(" all is well")
    assert "\x1b[33mwarning: \x1b[0mnot Ready" in second


def test_no_colour_on_request() -> None:
    stream = Terminal()
    log.configure(stream=stream, colour=False)
    logger.error("gone")
    assert stream.getvalue().endswith(" error: gone\n")
    assert "\x1b" not in stream.getvalue()


def test_names_from_outside_cannot_move_the_cursor_nor_break_the_line() -> None:
    for stream in (Terminal(), io.StringIO()):
        log.configure(stream=stream, colour=False)
        logger.info("user %s", "a\x1b[2J\nb")
        assert stream.getvalue().count("\n") == 1
        assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(("verbosity", "seen"), [(-1, 1), (0, 2), (1, 3)])
def test_verbosity(verbosity: int, seen: int) -> None:
    stream = io.StringIO()
    log.configure(verbosity, stream=stream)
    logger.debug("detail")
    logger.info("what happened")
    logger.warning("trouble")
    assert len(stream.getvalue().splitlines()) == seen
