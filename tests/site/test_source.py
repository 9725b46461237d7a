"""What may be seen of a site file. Every test reads each line of its file as a finding there would show
it.
"""

from __future__ import annotations

import pytest

from reconciler.site.compose import compose
from reconciler.site.source import Source
from tests.site.samples import GOOD, with_users

SECRET = "hunter2"


def visible_lines(text: str) -> list[str]:
    source = Source("site.yaml", text, compose(text))
    lines = []
    for number in range(1, text.count("\n") + 2):
        excerpt = source.excerpt(number)
        assert excerpt is not None
        lines.append("".join(excerpt.pieces))
    return lines


def test_settings_and_names_are_shown_and_passwords_are_not() -> None:
    text = with_users(
        "pablo:", f"  password: {SECRET}  # {SECRET}", "  ip: 10.0.0.1", f"yunhan: {{password: {SECRET}}}"
    )
    assert visible_lines(text) == [
        "version: 1",
        "interface: eth0",
        "local_ip: 10.214.2.100",
        "pool_start: 10.214.2.101",
        "users:",
        "  theo: ********",
        "  pablo:",
        "    password: ********  ",
        "    ip: 10.0.0.1",
        "  yunhan: {password: ********}",
        "",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        [f"pablo: {SECRET}"],
        [f"pablo: '{SECRET}'"],
        ["pablo: |", f"  {SECRET}", f"  {SECRET}"],
        ["pablo: >-", f"  {SECRET}", "", f"  {SECRET}"],
        ['pablo: "a', f'  {SECRET}', f'  b {SECRET}"'],
        ["pablo: a", f"  {SECRET}", f"  {SECRET}"],
        [f"pablo: &a {SECRET}", "yunhan: *a"],
        [f"pablo: &{SECRET} x", f"yunhan: *{SECRET}"],
        [f"pablo: !{SECRET}"],
        [f"pablo: !{SECRET} x"],
        [f"pablo: #{SECRET}"],
        [f"pablo: # {SECRET}"],
        [f"pablo: {{pasword: {SECRET}}}"],
        [f"pablo: {{pasword: [{SECRET}, {{a: {SECRET}}}]}}"],
        [f"pablo: [{SECRET}]"],
        [f"pablo: {{password {SECRET}}}"],
        [f"pablo: {{password: {{a: {SECRET}}}}}"],
        ["pablo: test", f"pablo: {SECRET}"],
        [f"pablo: !user {{password: {SECRET}}}"],
        [f"? [{SECRET}]", f": {SECRET}"],
    ],
)  # fmt: skip
def test_a_secret_is_hidden_however_it_is_written(lines: list[str]) -> None:
    assert SECRET not in "\n".join(visible_lines(with_users(*lines)))


@pytest.mark.parametrize(
    "lines",
    [
        [f'pablo: "{SECRET}', f"  {SECRET}: {SECRET}", f"    {SECRET}"],
        [f"pablo: '{SECRET}", f"   {SECRET}: x", f"theo2: {SECRET}"],
        [f"pablo: {SECRET}: {SECRET}"],
        [f"pablo:{SECRET}"],
        [f"pablo {SECRET}"],
        [f"pablo: @{SECRET}", f"yunhan: {SECRET}"],
        [f"pablo: {{password: {SECRET}", f"yunhan: {SECRET}"],
        [f"pablo: [{SECRET}", f"yunhan: {SECRET}"],
        [f"\tpablo: {SECRET}"],
        [f"pablo: '{SECRET}' {SECRET}"],
        ["pablo: |", f"  {SECRET}", f" {SECRET}"],
        ["pablo: |8", f"  {SECRET}", f" {SECRET}"],
        [f"pablo: \"\\q{SECRET}\"", f"a: {SECRET}"],
        [f"pablo: *{SECRET}", f"a: *b {SECRET}"],
        ["pablo:", f"  password: {SECRET}", f"   ip: {SECRET}", f"  password_x: {SECRET}"],
    ],
)  # fmt: skip
def test_a_secret_is_hidden_when_the_file_is_broken(lines: list[str]) -> None:
    assert SECRET not in "\n".join(visible_lines(with_users(*lines)))


def test_behind_a_mistake_the_keys_can_still_be_seen() -> None:
    text = (
        GOOD.replace("theo: test", "theo: @test")
        + "  pablo: test\n  yunhan:\n    password: test\n    ip: 10.0.0.1\n"
    )
    assert visible_lines(text)[5:] == [
        "  theo: ********",
        "  pablo: ********",
        "  yunhan:",
        "    password: ********",
        "    ip: ********",
        "",
    ]


def test_hidden_text_does_not_tell_its_length() -> None:
    assert visible_lines(with_users("a: x"))[6] == "  a: ********"
    assert visible_lines(with_users("a: " + "x" * 100))[6] == "  a: ********"


def test_a_source_does_not_show_itself() -> None:
    source = Source("site.yaml", GOOD, compose(GOOD))
    assert "test" not in repr(source)
    assert source.excerpt(0) is None
    assert source.excerpt(99) is None
