"""Edits of a whole site in any layout: a diff shows the lines concerned, and comments are where they were."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from reconciler.site import edit
from reconciler.site.edit import Edited
from reconciler.site.layout import comments
from reconciler.site.load import load
from reconciler.site.secrets import Secret
from tests.site.test_layout import layouts


def lf(content: bytes) -> str:
    return content.decode().replace("\r\n", "\n")


def names(text: str) -> list[str]:
    site = load(text, "f").site
    assert site is not None
    return list(site.users)


def moved(text: str, edited: Edited) -> tuple[list[str], list[str]]:
    """The lines that went and those that came."""
    before, after = text.replace("\r\n", "\n").split("\n"), lf(edited.content).split("\n")
    went, came = [], []
    for tag, begin, end, new_begin, new_end in difflib.SequenceMatcher(
        None, before, after, False
    ).get_opcodes():
        if tag != "equal":
            went += before[begin:end]
            came += after[new_begin:new_end]
    return went, came


def keeps_comments(text: str, edited: Edited) -> None:
    assert comments(lf(edited.content)) == comments(text.replace("\r\n", "\n"))


def only_users_differ(text: str, edited: Edited) -> None:
    before, after = load(text, "f").site, edited.after.site
    assert before is not None
    assert after is not None
    assert before.model_copy(update={"users": {}}) == after.model_copy(update={"users": {}})


@given(layouts(), st.sampled_from([None, "10.0.0.99"]))
def test_adding(text: str, ip: str | None) -> None:
    edited = edit.add_user(text.encode(), "new", Secret("pw"), ip, file="f")
    went, came = moved(text, edited)
    assert "".join(went) in "".join(came), "what went has only got something behind it"
    assert len(came) <= len(went) + 3
    keeps_comments(text, edited)
    only_users_differ(text, edited)
    assert names(edited.content.decode()) == [*names(text), "new"]


CHANGES: tuple[Callable[[bytes, str], Edited], ...] = (
    lambda content, name: edit.set_password(content, name, Secret("another"), file="f"),
    lambda content, name: edit.set_enabled(content, name, False, file="f"),
    lambda content, name: edit.set_ip(content, name, "10.0.0.99", file="f"),
)


@given(layouts(), st.data())
def test_changing(text: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names(text)))
    content = text.encode()
    for change in CHANGES:
        edited = change(content, name)
        went, came = moved(content.decode(), edited)
        assert len(went) <= 4, "the lines of a block, and what only looks like a comment behind it"
        assert len(came) <= len(went) + 1
        keeps_comments(content.decode(), edited)
        only_users_differ(text, edited)
        assert names(edited.content.decode()) == names(text)
        content = edited.content


@given(layouts(), st.data())
def test_removing(text: str, data: st.DataObject) -> None:
    known = names(text)
    name = data.draw(st.sampled_from(known))
    if len(known) == 1:
        return
    try:
        edited = edit.remove_user(text.encode(), name, file="f")
    except edit.EditError:
        # A comment far in would fall into the block of text above it: that it is refused is right.
        assert "# far in" in text
        assert any(mark in text for mark in ("|", ">"))
        return
    went, came = moved(text, edited)
    assert came == [], "nothing is written anew"
    lost = comments("\n".join(went)) if any(line.strip() for line in went) else []
    left = comments(lf(edited.content))
    # A line of text that looks like a comment may pass for the comment elsewhere, in a diff.
    assert len(left) + len(lost) >= len(comments(text.replace("\r\n", "\n")))
    only_users_differ(text, edited)
    assert names(edited.content.decode()) == [other for other in known if other != name]
