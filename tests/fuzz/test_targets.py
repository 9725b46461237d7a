"""Every fuzz target for a moment, and every story that was ever worth keeping."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.access.lifecycle import Lifecycle
from reconciler.engine.access.session import Session
from tests.fuzz import world
from tests.fuzz.choices import Choices
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent.parent / "corpus"
STORIES = sorted(path for path in CORPUS.rglob("*") if path.is_file())
MOMENT = {"wire": 200, "link": 150, "street": 60, "datapath": 100, "desk": 40, "site": 30, "show": 100}


@pytest.mark.parametrize("path", STORIES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_X4_what_was_found_once_holds(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_X4_nothing_new_is_found_in_a_moment(name: str) -> None:
    @settings(max_examples=MOMENT[name])
    @given(st.binary(max_size=400))
    def run(data: bytes) -> None:
        TARGETS[name](data)

    run()


def an_ordinary_day() -> None:
    """Everybody dials in and out again."""
    street, nothing = world.World(), Choices(b"")
    for place, client in enumerate(street.clients):
        street.waiting += client.dial(street.now)
        street.talk(nothing)
        street.wait(Choices(b"\1"))
        street.talk(nothing)
        assert place == len(world.USERS) or client.state == "up"
    for client in street.clients[:2]:
        street.waiting += client.hangup(street.now)
        street.talk(nothing)
    street.oracle.assert_ends(street.now)


def test_X4_an_ordinary_day_has_nothing_to_find() -> None:
    an_ordinary_day()


@pytest.mark.parametrize("sabotage", ["a second PADT", "no goodbye to the path", "a word too many"])
def test_the_oracle_notices(sabotage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge who finds everybody innocent is no judge."""
    forget, data = Lifecycle.forget, Session.data
    if sabotage == "a second PADT":
        monkeypatch.setattr(Lifecycle, "forget", lambda *a, **k: forget(*a, **k) * 2)
    elif sabotage == "no goodbye to the path":
        monkeypatch.setattr(Lifecycle, "_close_path", lambda *_: [])
    else:
        monkeypatch.setattr(Session, "data", lambda self, payload: data(self, payload) + b"residue")
    with pytest.raises((AssertionError, KeyError)):
        an_ordinary_day()
