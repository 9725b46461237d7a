"""What is read of a user without the parser is what the parser reads, with the same places."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.site.compose import compose
from reconciler.site.facts import user_facts
from reconciler.site.ordinary import read
from reconciler.site.tree import Node, Plain, Scalar, Table

LINE = 7
KEYS = ("password", "password_file", "nt_hash", "ip", "sessions", "enabled", "rate_limit")
SIGNS = "ab0:# '\"\\-?,[]{}&*!|>%@`<=~./\t\u00e9\u00a0\u2003\u3000\ufffd\U0001f600"

atoms = st.text(st.sampled_from(SIGNS), max_size=7) | st.sampled_from(
    ("<<", "test", "10.0.0.9", "3", "false")
)
texts = st.one_of(
    atoms,
    st.from_regex(r"[a-z0-9.@/+-]{1,12}", fullmatch=True),
    atoms.map(lambda text: f"'{text}'"),
    atoms.map(lambda text: f'"{text}"'),
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=5),
)
keys = st.sampled_from(KEYS) | st.sampled_from(KEYS).map(lambda key: f"'{key}'") | texts
gaps = st.sampled_from(("", "", "", "", " ", "  # a remark", " # it's: \"open", "\t", " #"))
ends = st.sampled_from(("\n", "\n", "\n", "\r\n"))
between = st.sampled_from(("", "", "", "", "\n", "    # ip: 10.0.0.1\n", "# password: x\n", "   \n", "\t\n"))
indents = st.sampled_from(("    ", "    ", "    ", "    ", "   ", "     ", "  ", "\t"))
colons = st.sampled_from((": ", ": ", ": ", ":   ", ":", " : ", ":\t"))
settings = st.builds("".join, st.tuples(indents, keys, colons, texts, gaps, ends, between))
users = st.one_of(
    st.builds("".join, st.tuples(st.just("  "), texts, colons, texts, gaps, ends, between)),
    st.builds(
        "".join,
        st.tuples(
            st.just("  "),
            texts,
            st.just(":"),
            gaps,
            ends,
            between,
            st.lists(settings, min_size=1, max_size=4).map("".join),
        ),
    ),
)

ORDINARY = (
    "  theo: test\n",
    "  theo: 'two words' # changed\r\n",
    '  "no": "0123"\n',
    "  '<<': x\n",
    "  '': ''\n",
    "  a.b/c@d: 12:34:56\n",
    "  theo: a#b\n\n  # a remark\n",
    "  pablo:\n    password: 'two words'\n\n    # a remark: one\n    ip: 10.214.2.110\n",
    "  pablo: # remark\n        enabled: false\n        'sessions': \"3\"\n        nt_hash: x\n",
    "  pablo:\n    ip: 999\n",
    "  \U0001f600: \U0001f600\n",
)
LEFT_TO_THE_PARSER = (
    "  <<: x\n",
    "  'it''s': x\n",
    '  esc: "\\x41"\n',
    "  typed: !!int 3\n",
    "  theo: test",
    "  two: a: b\n",
    "  nothing:\n",
    "  long: |\n    text\n",
    "  plain: goes\n    on\n",
    "  braces: {password: x}\n",
    "  pablo:\n    paswort: x\n",
    "  pablo:\n    password: x\n    password: y\n",
    "  pablo:\n    password: x\n      ip: 10.0.0.1\n",
    f"  {'a' * 1100}: x\n",
)


def said(node: Node) -> Plain:
    if isinstance(node, Scalar):
        return node.text
    assert isinstance(node, Table)
    assert len(node.index) == len(node.written)
    return {key.text: said(value) for key, value in node.written}


def parsed(user: str) -> tuple[Scalar, Node]:
    """What the parser makes of a user, who must end where the next one begins."""
    document = compose("\n" * (LINE - 2) + "users:\n" + user + "  after: it\n")
    assert (document.findings, document.broken) == ([], None)
    assert isinstance(document.root, Table)
    table = document.root.get("users")
    assert isinstance(table, Table)
    one, (after, _) = table.written
    assert after.place[:2] == (LINE + user.count("\n"), 3)
    return one


@given(users)
@example("  a: b\n  ")
@example("  a: b \n")
@example("  'a': 'b'#c\n")
def test_it_is_what_the_parser_reads(user: str) -> None:
    one = read(user, LINE, 3)
    if one is not None:
        key, node = parsed(user)
        assert one.facts == user_facts(key, node)
        assert one.said == said(node)


@pytest.mark.parametrize("user", ORDINARY)
def test_what_most_people_write_is_read(user: str) -> None:
    one = read(user, LINE, 3)
    assert one is not None
    key, node = parsed(user)
    assert (one.facts, one.said) == (user_facts(key, node), said(node))


@pytest.mark.parametrize("user", LEFT_TO_THE_PARSER)
def test_what_leaves_a_doubt_is_left_to_the_parser(user: str) -> None:
    assert read(user, LINE, 3) is None
