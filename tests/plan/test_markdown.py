"""The plan as a comment on a pull request: short enough, and nobody's name can write in it."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.plan.diff import make_plan
from reconciler.plan.guard import judge
from reconciler.plan.render import as_markdown
from reconciler.plan.state import SessionRef, State, Value
from reconciler.site.escape import visible
from tests.golden import assert_golden
from tests.plan.test_render import CROWD, DRIFTED, EDITED, EVERYTHING, FEW, PLACES
from tests.plan.worlds import BASE, DEFAULT, changed, session, user

GOLDEN = Path(__file__).parent / "golden"
LONGEST_COMMENT = 65_536
TAGS = {"h3", "strong", "p", "code", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"}


def shown(
    desired: State,
    actual: State = BASE,
    live: tuple[SessionRef, ...] | None = CROWD,
    source: str = "site.yaml",
) -> str:
    drifting = {"forwarding.proxy_arp.eth1": 14.0}
    plan = make_plan(desired, actual, BASE, live, PLACES, DEFAULT, base_generation=41, drifting=drifting)
    return as_markdown(plan, judge(plan, actual), source=source)


def rendered(text: str) -> str:
    return str(MarkdownIt("commonmark").enable("table").render(text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("edited", shown(EDITED, DRIFTED, source="site.yaml  main@4f2c91e (clean)")),
        ("unseen", shown(EDITED, DRIFTED, None)),
        ("empty", shown(BASE)),
        ("everything", shown(EVERYTHING, live=FEW)),
        ("interface_gone", shown(changed(interface__eth1=None))),
    ],
)
def test_comments_look_like_this(name: str, text: str) -> None:
    assert_golden(GOLDEN / f"{name}.md", text)


def test_of_many_sessions_some_are_named_and_the_rest_counted() -> None:
    text = shown(changed(interface__eth1=None))
    assert (
        "<code>0x0013 pablo</code>, <code>0x002a theo</code>, <code>0x0100 user0</code> and 211 more" in text
    )
    assert "| and 174 more |" in text
    assert "**Guard: this will be held**" in text
    assert "<details>\n<summary>Sessions that end: 214</summary>\n\n|" in text


EVIL = (
    "@octocat",
    "#1",
    "</code><img src=x onerror=alert(1)>",
    "|`*_~[x](http://example.org)",
    "www.example.org",
    "a@example.org",
    "-->",
    "\n\n# heading\n",
    "</details>",
    "&lt;b&gt;",
    "\\",
)


@pytest.mark.parametrize("evil", EVIL)
def test_a_name_is_text_and_nothing_else(evil: str) -> None:
    check(evil)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=18))
def test_any_name_is_text_and_nothing_else(name: str) -> None:
    assume(name != "SERVER")  # it has that name already, and the plan a change less
    check(name)


def check(name: str) -> None:
    harmless = comment_with("x")
    text = comment_with(name)
    page = rendered(text)
    assert re.findall(r"<(/?\w+)", page) == re.findall(r"<(/?\w+)", rendered(harmless))
    assert set(re.findall(r"<(\w+)", page)) <= TAGS
    assert not re.search(r"[@]|www\.|://|(?<!&)#\d", text.replace("### ", ""))
    assert f"user {visible(name)}".rstrip()[:40] in html.unescape(re.sub(r"<[^>]*>", "", page))


def comment_with(name: str) -> str:
    """A comment in which ``name`` stands wherever a name can."""
    desired: dict[str, Value] = {**BASE, "ac_name": name, f"users.{name}": user(), "interface.eth1": {}}
    actual: dict[str, Value] = {**BASE, f"interface.{name}2": {}}
    live = (session(name, 0x13, "10.0.0.9", interface=f"{name}2"),)
    plan = make_plan(desired, actual, BASE, live, {}, DEFAULT)
    return as_markdown(plan, judge(plan, actual), source=f"site.yaml  {name}@4f2c91e (clean)")


def test_the_longest_comment_still_fits() -> None:
    names = ["#" * 250 + str(number) for number in range(300)]
    live = tuple(session(name, number, "10.100.100.100") for number, name in enumerate(names))
    actual: dict[str, Value] = {**BASE, **{f"users.{name}": user() for name in names}}
    text = shown({**BASE, "mtu": 1400}, actual, live, source="#" * 500)
    assert len(text) < LONGEST_COMMENT
    assert "| | and 261 more | | | |" in text


def test_no_fingerprint_of_a_password_is_shown() -> None:
    assert "deadbeef" not in shown(changed(users__theo=user("deadbeef")))
