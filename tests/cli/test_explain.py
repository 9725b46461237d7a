"""``reconciler explain``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tests.cli.conftest import Said

Say: TypeAlias = Callable[..., Said]


def test_a_key_is_explained(say: Say) -> None:
    said = say("explain", "users.*.ip")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("users.*.ip\n")
    assert "LATER for the user's sessions that hold another address" in said.out
    assert say("explain", "users.theo.ip", "-o", "json").json["type"] == "IPv4 address"


def test_all_keys_are_listed(say: Say) -> None:
    assert "lcp_echo.interval\n" in say("explain").out
    assert "mtu" in say("explain", "-o", "json").json


def test_the_closest_key_is_suggested(say: Say) -> None:
    said = say("explain", "dns_server")
    assert (said.status, said.out) == (1, "")
    assert "Did you mean dns_servers?" in said.err
