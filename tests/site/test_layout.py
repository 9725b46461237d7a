"""The canonical layout: only white space moves, and a second time nothing does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.site.layout import LayoutError, comments, laid_out
from reconciler.site.load import load
from tests.site.samples import FLAWS, GOOD
from tests.site.test_edit import sites

EXAMPLE = Path(__file__).parents[2] / "examples" / "site.yaml"

CROOKED = """\


version:   1   # the only one
interface:
# behind a key
-   eth0
-   eth1


# above a key
local_ip : 10.0.0.1
dns_servers: [ 8.8.8.8 ,8.8.4.4 ]
users:
     # the first of them
     theo :   'te  st'     # said so
     pablo: {password:  x  ,   sessions: 2 }

     #   of yunhan
     yunhan:
       # within
         password: "a
            b"
     # the last one
     maria: {
   password: x,   # flow
        # within
      enabled: true
     }
     ada:
       password: |-
              ---BEGIN---
                 body
              ---END---
     # behind them all

forwarding:  {ip_forward: true}
"""

STRAIGHT = """\
version: 1   # the only one
interface:
  # behind a key
  - eth0
  - eth1

# above a key
local_ip: 10.0.0.1
dns_servers: [8.8.8.8, 8.8.4.4]
users:
  # the first of them
  theo: 'te  st'     # said so
  pablo: {password: x, sessions: 2}

  #   of yunhan
  yunhan:
    # within
    password: "a
      b"
  # the last one
  maria: {
    password: x,   # flow
    # within
    enabled: true
  }
  ada:
    password: |-
      ---BEGIN---
         body
      ---END---
  # behind them all

forwarding: {ip_forward: true}
"""


def fmt(text: str) -> str:
    return laid_out(text.encode(), "site.yaml").decode()


def test_this_is_the_layout() -> None:
    assert fmt(CROOKED) == STRAIGHT
    assert fmt(STRAIGHT) == STRAIGHT


def test_the_example_is_laid_out_so() -> None:
    assert fmt(EXAMPLE.read_text()) == EXAMPLE.read_text()


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("a: 1", "a: 1\n"),
        ("a: 1 #note\n\n\n\n# end\n\n", "a: 1  #note\n\n# end\n"),
        ("a:\t1\t# note\n", "a: 1  # note\n"),
        ("\ufeffa:  1\r\nb:  2\r\n", "a: 1\r\nb: 2\r\n"),
        ("---\na:  1\n...\n", "---\na: 1\n...\n"),
        ("  a: 1\n  b: 2\n", "a: 1\nb: 2\n"),
        ("a: &x  1\nb:   *x\n", "a: &x 1\nb: *x\n"),
        ("? a\n:  b\n", "? a\n: b\n"),
        ("a:\n    b\n", "a:\n  b\n"),
        ("a: |2\n    x\nb: 1\n", "a: |2\n    x\nb: 1\n"),
        ("a:\n    b: |2\n        x\n", "a:\n  b: |2\n      x\n"),
        ("a: |\n      x\n\n       y\n\n\n\nb: 1\n", "a: |\n  x\n\n   y\n\nb: 1\n"),
        ("a: |+\n   x\n\n\n\nb: 1\n", "a: |+\n  x\n\n\n\nb: 1\n"),
        ("a: |\n    x", "a: |\n  x"),
        ("a: 'x\n\n\n  y'\n", "a: 'x\n\n\n  y'\n"),
        ('a: "x\\\n     \\  y"\n', 'a: "x\\\n  \\  y"\n'),
        ("{a:   1,\nb: 2}\n", "{a: 1,\n  b: 2}\n"),
    ],
)
def test_small_things(text: str, becomes: str) -> None:
    assert fmt(text) == becomes
    assert fmt(becomes) == becomes


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "- a\n", "just text\n", "a: [1\n", "a: \t'x\n", "a: \x00\n"]
)
def test_what_is_no_site_at_all_is_refused_with_its_findings(text: str) -> None:
    with pytest.raises(LayoutError) as refused:
        fmt(text)
    assert refused.value.loaded is not None
    assert refused.value.loaded.findings


def test_an_unfinished_merge_is_refused() -> None:
    with pytest.raises(LayoutError, match="mend that first"):
        fmt(GOOD + "<<<<<<< HEAD\n  a: x\n=======\n  a: y\n>>>>>>> theirs\n")


def test_no_secret_is_in_a_refusal() -> None:
    with pytest.raises(LayoutError) as refused:
        fmt(GOOD + '  pablo: "hunter2\n')
    assert "hunter2" not in str(refused.value)


def check(text: str) -> None:
    """Loads the same, says the same in comments, and is steady; in lines no white is left over."""
    once = fmt(text)
    assert fmt(once) == once
    before, after = load(text.encode(), "f"), load(once.encode(), "f")
    assert before.site == after.site
    assert [finding.code for finding in before.findings] == [finding.code for finding in after.findings]
    lines = text.replace("\r\n", "\n").removeprefix("\ufeff")
    assert comments(once.replace("\r\n", "\n")) == comments(lines)
    assert re.sub(r"\s", "", once) == re.sub(r"\s", "", lines)


@given(sites())
def test_any_layout_of_users(case: tuple[str, list[str]]) -> None:
    check(case[0])


NOTES = st.sampled_from(["", "", " # note", "   #  a: b, [c]", "\t# tab"])
BETWEEN = st.sampled_from(
    ["", "", "", "\n", "\n\n\n", "# own line\n", "      # far in\n", "  # two\n\n# three\n"]
)
VALUES = st.sampled_from(
    [
        "x",
        "'a  b'",
        '"q # no"',
        "no",
        "0123",
        "'it''s'",
        '"two\n{}    lines"',
        "long\n{}    plain",
        "|-\n{}  p\n{}   q",
    ]
)


@st.composite
def layouts(draw: st.DrawFn) -> str:
    """A whole site in any mixture of indentations, brackets, quotes, comments and blank lines."""

    def entry(indent: int, key: str, value: str) -> str:
        white, note = draw(st.sampled_from([" ", "   ", "\t"])), draw(NOTES)
        colon = draw(st.sampled_from([":", " :"]))
        value = value.replace("{}", " " * indent)
        note = "" if "\n" in value else note
        return f"{draw(BETWEEN)}{' ' * indent}{key}{colon}{white}{value}{note}\n"

    def listed(indent: int, key: str, items: list[str]) -> str:
        if draw(st.booleans()):
            inner = draw(st.sampled_from([", ", ",", " , ", ",\n      "])).join(items)
            return entry(indent, key, f"[{inner}]")
        at = indent + draw(st.integers(0, 3))
        lines = "".join(
            f"{draw(BETWEEN)}{' ' * at}-{draw(st.sampled_from([' ', '    ']))}{item}{draw(NOTES)}\n"
            for item in items
        )
        return f"{draw(BETWEEN)}{' ' * indent}{key}:{draw(NOTES)}\n{lines}"

    def user(indent: int, name: str) -> str:
        form = draw(st.sampled_from(["short", "block", "flow"]))
        if form == "short":
            return entry(indent, name, draw(VALUES))
        if form == "flow":
            close = draw(st.sampled_from(["", " ", "\n      "]))
            return entry(indent, name, f"{{ password:  x ,\n        sessions: 2{close}}}")
        step = indent + draw(st.integers(1, 5))
        head = f"{draw(BETWEEN)}{' ' * indent}{name}:{draw(NOTES)}\n"
        return head + entry(step, "password", draw(VALUES)) + entry(step, "enabled", "true")

    root, step = 0, draw(st.integers(1, 6))
    parts = [entry(root, "version", "1"), entry(root, "local_ip", "10.0.0.1")]
    parts += [entry(root, "pool_start", "10.0.0.2"), listed(root, "interface", ["eth0", "eth1"])]
    parts.append(listed(root, "dns_servers", ["8.8.8.8", "8.8.4.4"]))
    users = "".join(user(step, f"u{number}") for number in range(draw(st.integers(1, 4))))
    parts.append(f"users:{draw(NOTES)}\n{users}")
    text = "".join(draw(st.permutations(parts))) + draw(BETWEEN)
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@given(layouts())
def test_any_layout_of_a_site(text: str) -> None:
    assert load(text.encode(), "f").site is not None, text
    check(text)


FRAGMENTS = st.sampled_from(
    (
        *("a", "b: ", "c:", "\n", "\n", "\n  ", "\n    ", "- ", "-   ", "# x", "  # y", "[", "]", "{", "}"),
        *(",", ": ", "'q'", '"d"', "|", "|-\n   t", "|+\n   t\n\n", ">\n  f", "&n ", "*n", "!!str ", "? "),
        *("\t", " ", "k: v", "\n  k: v", "\n- i", "'m\n u'", "---\n", "users:\n  x: y"),
    )
)


@given(st.lists(FRAGMENTS, min_size=1, max_size=14).map("".join))
def test_whatever_is_yaml_is_laid_out_and_the_rest_refused_with_findings(text: str) -> None:
    refused = refusal(text)
    if refused is None:
        assert fmt(fmt(text)) == fmt(text)
    else:
        assert refused.loaded is not None, text


def refusal(text: str) -> LayoutError | None:
    try:
        fmt(text)
    except LayoutError as error:
        return error
    return None


@pytest.mark.parametrize(
    "text",
    [pytest.param(flaw.text, id=f"{flaw.code}-{flaw.why}") for flaw in FLAWS if isinstance(flaw.text, str)],
)
def test_a_site_with_findings_keeps_them(text: str) -> None:
    refused = refusal(text)
    if refused is None:
        check(text)
    else:
        assert refused.loaded is not None
