"""The sandbox's edits do to the example file what they say, and nothing else."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from reconciler.lab import edits

EXAMPLE = (Path(__file__).parents[2] / "examples" / "site.yaml").read_text()


def changed(after: str) -> list[str]:
    """The lines that an edit took out (-) and put in (+)."""
    diff = difflib.ndiff(EXAMPLE.splitlines(), after.splitlines())
    return [line for line in diff if line[0] in "+-"]


def test_a_value_is_replaced_where_it_stands() -> None:
    assert changed(edits.set_value(EXAMPLE, "ac_name", "NORTH")) == ["- ac_name: SERVER", "+ ac_name: NORTH"]
    assert changed(edits.set_value(EXAMPLE, "dns_servers", "[9.9.9.9]")) == [
        "- dns_servers: [8.8.8.8, 8.8.4.4]",
        "+ dns_servers: [9.9.9.9]",
    ]
    assert changed(edits.set_value(EXAMPLE, "forwarding.proxy_arp", "false")) == [
        "-   proxy_arp: true",
        "+   proxy_arp: false",
    ]


def test_a_comment_behind_a_value_stays() -> None:
    text = "forwarding:\n  proxy_arp: true   # ours\n"
    assert (
        edits.set_value(text, "forwarding.proxy_arp", "false") == "forwarding:\n  proxy_arp: false   # ours\n"
    )


def test_a_user_is_added_and_removed() -> None:
    assert changed(edits.add_user(EXAMPLE, "maria", "secret")) == ["+   maria: secret"]
    assert changed(edits.remove_user(EXAMPLE, "theo")) == ["-   theo: test"]
    assert changed(edits.remove_user(EXAMPLE, "pablo")) == ["-   pablo:", "-     password: test"]


def test_a_password_is_changed_in_both_forms() -> None:
    assert changed(edits.set_password(EXAMPLE, "theo", "new")) == ["-   theo: test", "+   theo: new"]
    after = edits.set_password(EXAMPLE, "yunhan", "new")
    assert changed(after) == ["-     password: test", "+     password: new"]
    assert edits.remove_user(after, "yunhan") == edits.remove_user(EXAMPLE, "yunhan")


def test_lines_are_numbered_from_one() -> None:
    assert edits.line_of("a\nb\n", "b") == 2


@pytest.mark.parametrize(
    "edit",
    [
        lambda: edits.set_value(EXAMPLE, "nonsense", "1"),
        lambda: edits.remove_user(EXAMPLE, "nobody"),
        lambda: edits.set_password(EXAMPLE, "nobody", "x"),
        lambda: edits.line_of(EXAMPLE, "nonsense"),
    ],
)
def test_what_is_not_there_is_told(edit: object) -> None:
    assert callable(edit)
    with pytest.raises(ValueError, match=r"nonsense|nobody"):
        edit()
