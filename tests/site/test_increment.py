"""A text read user by user is read as if it were read whole: same site, findings, places and excerpts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.site import increment
from reconciler.site.compose import compose
from reconciler.site.load import Loaded, Loader, load
from reconciler.site.report import as_text
from reconciler.site.segments import split
from reconciler.site.tree import Document
from tests.site.samples import FLAWS, GOOD

HEAD = GOOD.removesuffix("  theo: test\n")

SIMPLE = (
    "  theo: test\n",
    "  theo: other # changed\n",
    "  theo:\n    password: test\n    ip: 10.0.0.9\n",
    "  pablo:\n    password: 'two words'\n\n    # a remark\n    ip: 10.214.2.110\n",
    '  "no": "0123"\n',
    "  a.b/c@d: 12:34:56\n",
    "  yunhan:\n    password: x\n    sessions: 3\n    ip: 10.0.0.255\n",
    "  deeper:\n        password: x\n        enabled: false\n",
    "  windows: test\r\n",
    "  # only a remark\n",
    "\n",
)
ODD = (
    "  pablo:\n    password: test\n    ip: 10.0.0.9\n",
    "  theo: &a test\n",
    "  twin: *a\n",
    "  open: 'never\n",
    "  closed: closed'\n",
    '  open: "never\n',
    '  closed: closed"\n',
    "  braces: {password: x,\n",
    "  more: y}\n",
    "  long: |\n    text\n",
    "  folded: >-\n    text\n     more\n",
    "  plain: goes\n    on\n",
    "  ? complex\n  : value\n",
    "  <<: x\n",
    "  nothing:\n",
    "  typed: !!int 3\n",
    "  two: a: b\n",
    "   wrong: x\n",
    " wrong: x\n",
    "\ttab: x\n",
    "  dash: - x\n",
    "  - listed\n",
    "  paswort: x\n",
    "  pablo:\n    paswort: x\n",
    "  pablo:\n    password: x\n      ip: 10.0.0.1\n",
    "  pablo:\n    password: x\n    password: y\n",
    "  pablo:\n    password: x\n    ip: 999\n",
    "  pablo:\n    password: x\n    nested:\n      deep: y\n",
    "  'it''s': x\n",
    '  esc: "\\x41"\n',
)
AROUND = ("", "mtu: 1400\n", "pool_size: 1\n", "dns_servers: [8.8.8.8]\n", "limits:\n  lockout: 9\n", "...\n")
BEFORE = ("", "# remark\n", "auth: [pap,\n", "x: &a y\n", "wins_servers:\n- 8.8.8.8\n", '"q\n', "---\n")

entries = st.lists(st.sampled_from(SIMPLE) | st.sampled_from(ODD), max_size=6)
mostly_simple = st.lists(st.sampled_from(SIMPLE), min_size=1, max_size=8, unique=True)
texts = st.builds(
    lambda before, users, after: before + HEAD + "".join(users) + after,
    st.sampled_from(BEFORE),
    mostly_simple | entries,
    st.sampled_from(AROUND),
)


def whole(text: str | bytes) -> Loaded:
    """What is read of a text that cannot be taken apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reconciler.site.load.part", lambda *_: None)
        return load(text, "site.yaml")


def same(loader: Loader, text: str | bytes) -> None:
    again, first = loader.load(text, "site.yaml"), whole(text)
    assert again.findings == first.findings
    assert again.site == first.site
    assert again.notes == first.notes
    assert dict(again.places) == dict(first.places)
    assert as_text(again.findings, again.source) == as_text(first.findings, first.source)
    for line in range(1, min(len(text), 40)):
        assert again.source.excerpt(line) == first.source.excerpt(line)
    if first.site is not None and again.site is not None:
        assert list(again.site.users) == list(first.site.users)
        assert all(again.places.get(path) == place for path, place in first.places.items())


@given(st.lists(texts, min_size=2, max_size=5))
def test_what_was_read_before_makes_no_difference(history: list[str]) -> None:
    loader = Loader()
    for text in history:
        same(loader, text)


@given(
    st.lists(st.sampled_from(SIMPLE), min_size=3, max_size=8, unique=True),
    st.lists(st.tuples(st.integers(0, 7), st.sampled_from(SIMPLE + ODD)), max_size=6),
)
def test_edits_of_single_lines(users: list[str], edits: list[tuple[int, str]]) -> None:
    loader = Loader()
    same(loader, HEAD + "".join(users))
    for position, entry in edits:
        edited = [*users[:position], entry, *users[position:]]
        same(loader, HEAD + "".join(edited))
        same(loader, HEAD + "".join(edited) + "mtu: 1400\n")


HEADS = (HEAD, "# moved\n" + HEAD, HEAD + "  # first\n", HEAD.replace("users:", "mtu: 1400\nusers:"))


@given(
    st.lists(st.sampled_from(SIMPLE), min_size=1, max_size=6),
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 2), st.lists(st.sampled_from(SIMPLE), max_size=2))
        | st.sampled_from(HEADS)
        | st.sampled_from(AROUND),
        min_size=2,
        max_size=8,
    ),
)
def test_one_edit_after_the_other(users: list[str], edits: list[tuple[int, int, list[str]] | str]) -> None:
    loader, head, tail = Loader(), HEAD, ""
    same(loader, head + "".join(users))
    for edit in edits:
        if isinstance(edit, tuple):
            begin, length, put = edit
            users = [*users[:begin], *put, *users[begin + length :]]
        elif edit in AROUND:
            tail = edit
        else:
            head = edit
        same(loader, head + "".join(users) + tail)


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: f"{flaw.code}-{flaw.why}".replace(" ", "-"))
def test_a_flaw_is_found_after_a_good_text_and_forgotten_after_it(flaw: object) -> None:
    text = flaw.text  # type: ignore[attr-defined]
    loader = Loader()
    same(loader, GOOD)
    same(loader, text)
    same(loader, GOOD)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the parser was given, without the empty lines."""
    seen: list[str] = []

    def watch(text: str, real: Callable[[str], Document] = compose) -> Document:
        seen.append("".join(line for line in text.splitlines(keepends=True) if line.strip()))
        return real(text)

    monkeypatch.setattr(increment, "compose", watch)
    return seen


LONG = f" # {'long ' * 200}\n"
"""It makes a user none of the ordinary ones, who are read without the parser."""


def test_ordinary_users_do_not_reach_the_parser(parsed: list[str]) -> None:
    users = "  yunhan:\n    password: two\n  last: three\n"
    assert load(f"{GOOD}  pablo: one{LONG}{users}", "site.yaml").site
    assert parsed[0] == f"{HEAD}  pablo: one{LONG}"
    parsed.clear()
    assert load(GOOD + users + "mtu: 1400\n", "site.yaml").site
    assert parsed[0] == GOOD + "mtu: 1400\n", "one, for a block without entries would not be one"


def test_only_what_is_new_is_parsed(parsed: list[str]) -> None:
    loader = Loader()
    loader.load(f"{GOOD}  pablo: one{LONG}  yunhan: two{LONG}", "site.yaml")
    loader.load(f"# moved\n{GOOD}  pablo: three{LONG}  yunhan: two{LONG}", "site.yaml")
    assert f"# moved\n{HEAD}  pablo: three{LONG}" in parsed
    assert sum("version" in text for text in parsed) == 2


def test_an_edit_costs_the_parser_one_user(parsed: list[str]) -> None:
    users = [f"  user{number}: secret\n" for number in range(9)]
    loader = Loader()
    loader.load(HEAD + "".join(users), "site.yaml")
    parsed.clear()
    assert loader.load(HEAD + "".join([*users[:4], "  user4: other" + LONG, *users[5:]]), "site.yaml").site
    assert parsed[0] == HEAD + "  user4: other" + LONG
    parsed.clear()
    assert loader.load(HEAD + "".join(users) + "mtu: 1400\n", "site.yaml").site
    assert parsed[0] == HEAD + "  user0: secret\nmtu: 1400\n"
    parsed.clear()
    assert loader.load("# moved\n" + HEAD + "".join(users) + "mtu: 1400\n", "site.yaml").site
    assert parsed[0] == "# moved\n" + HEAD + "  user0: secret\nmtu: 1400\n"


def test_a_warning_moves_with_what_it_is_about() -> None:
    odd = "  pablo:\n    password: x\n    ip: 10.0.0.255\n"
    tail = "pool_size: 1\n"
    loader = Loader()
    same(loader, GOOD + odd + "  yunhan: one\n" + tail)
    for between in ("", "  # a remark\n", "  # two\n  # remarks\n"):
        same(loader, GOOD + between + odd + "  yunhan: one\n" + tail)
        same(loader, GOOD + between + odd + "  yunhan: two\n" + between + tail)


def test_a_user_that_moved_is_reported_where_it_is_now() -> None:
    loader = Loader()
    odd = "  pablo:\n    password: x\n    ip: 10.0.0.255\n"
    assert [finding.place for finding in loader.load(GOOD + odd, "site.yaml").findings] == [(9, 9, 9, 19)]
    moved = loader.load("# one\n# two\n" + GOOD + odd, "site.yaml")
    assert [finding.place for finding in moved.findings] == [(11, 9, 11, 19)]
    assert moved.places["users", "pablo", "ip"] == (11, 5, 11, 7)


def test_the_last_line_may_lack_its_end() -> None:
    loader = Loader()
    for text in (GOOD, GOOD + "  pablo: x", GOOD + "  pablo:\n    password: x"):
        same(loader, text)
        same(Loader(), text)


def test_texts_that_nobody_can_take_apart_are_left_whole() -> None:
    assert split(GOOD) is not None
    for text in ("", "users: {a: b}\n", GOOD.replace("users:", "users: &all"), GOOD + GOOD):
        assert split(text) is None
