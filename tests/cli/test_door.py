"""``run``'s options for who may reach it: what they refuse, and with which words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Said


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--socket-mode", "0666", "would let everybody end sessions: use --socket-group"),
        ("--socket-mode", "0060", "would shut root out"),
        ("--socket-mode", "660x", "write it in octal, such as 0660"),
        ("--socket-mode", "99", "write it in octal, such as 0660"),
        ("--socket-group", "nosuchgroup", "`groupadd --system nosuchgroup` makes it"),
        ("--metrics-listen", "9101", "give an address and a port: 127.0.0.1:9101 or [::1]:9101"),
        ("--metrics-listen", "localhost:9101", "localhost is not an IP address of this machine"),
        ("--metrics-listen", "::1:9101", "an IPv6 address stands in brackets"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    say: Callable[..., Said], option: str, value: str, words: str
) -> None:
    said = say("run", "site.yaml", option, value)
    assert said.status == 64
    assert words in said.err
