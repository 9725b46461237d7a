"""From a file to a goal, again and again: what did not change is kept, what is kept elsewhere is not."""

from __future__ import annotations

from pathlib import Path

from reconciler.loop.reading.goal import Goal, Reader
from tests.loop.world import SITE

HERE = Path("/somewhere/site.yaml")


def understood(reader: Reader, text: str) -> Goal:
    goal = reader.understand(text.encode(), HERE)
    assert goal.wanted is not None, goal.text
    return goal


def test_a_user_that_stays_keeps_its_secret_and_its_fingerprint() -> None:
    reader = Reader(b"key", "box")
    before = understood(reader, SITE).wanted
    after = understood(reader, SITE.replace("theo: one", "theo: other") + "  yunhan: three\n").wanted
    assert before is not None
    assert after is not None
    assert after.secrets["pablo"] is before.secrets["pablo"]
    assert after.fingerprints["pablo"] == before.fingerprints["pablo"]
    assert after.secrets["theo"].secret.reveal() == "other"
    assert after.fingerprints["theo"] != before.fingerprints["theo"]
    assert list(after.secrets.keys() ^ before.secrets.keys()) == ["yunhan"]


def test_a_goal_is_the_same_whatever_was_read_before() -> None:
    texts = [SITE, SITE.replace("two", "2"), SITE.replace("  theo: one\n", ""), "# moved\n" + SITE]
    reader = Reader(b"key", "box")
    for text in [*texts, *reversed(texts)]:
        again, first = understood(reader, text), understood(Reader(b"key", "box"), text)
        assert again.wanted is not None
        assert first.wanted is not None
        assert again.wanted.site == first.wanted.site
        assert again.wanted.fingerprints == first.wanted.fingerprints
        assert dict(again.places) == dict(first.places)


def test_a_password_that_is_kept_elsewhere_is_asked_for_each_time() -> None:
    environment = {"PABLO": "one"}
    reader = Reader(b"key", "box", getenv=environment.get)
    text = SITE.replace("password: two", "password_env: PABLO")
    before = understood(reader, text).wanted
    environment["PABLO"] = "two"
    after = understood(reader, text).wanted
    assert before is not None
    assert after is not None
    assert after.secrets["pablo"].secret.reveal() == "two"
    assert after.fingerprints["pablo"] != before.fingerprints["pablo"]


def test_an_error_is_told_in_full_after_a_good_text() -> None:
    reader = Reader(b"key", "box")
    understood(reader, SITE)
    goal = reader.understand(SITE.replace("10.0.1.9", "10.0.0.1").encode(), HERE)
    assert goal.wanted is None
    assert "our own address" in goal.problem
    assert "site.yaml:10:9" in goal.text
