"""What is said about keys is there for each of them, and found by what people type."""

from __future__ import annotations

import pytest

from reconciler.site import manual


@pytest.mark.parametrize("path", manual.paths())
def test_every_path_has_an_entry(path: str) -> None:
    entry = manual.entry(path)
    assert entry is not None
    assert entry.path == path
    assert entry.description.endswith(".")
    assert entry.type
    assert entry.default


@pytest.mark.parametrize(
    ("path", "type_", "default"),
    [
        ("mtu", "whole number, 576 to 1500", "1492"),
        ("users.*.ip", "IPv4 address", "unset"),
        ("users.a.b.c.ip", "IPv4 address", "unset"),
        ("users.*.password", "text, kept secret", "unset"),
        ("users", "mapping", "required"),
        ("users.*.rate_limit.down", "rate: digits and `k`, `M` or `G`", "unset"),
        ("users.theo", "mapping, or the password alone", "required"),
        ("auth", "list of `mschapv2` or `chap` or `mschap` or `pap`", "[mschapv2, chap, pap]"),
        ("forwarding", "mapping", "see its keys"),
        ("on_remove", "`terminate` or `drain`", "terminate"),
        ("interface", "list of text", "required"),
    ],
)
def test_types_and_defaults_in_words(path: str, type_: str, default: str) -> None:
    entry = manual.entry(path)
    assert entry is not None
    assert (entry.type, entry.default) == (type_, default)


def test_impact_and_keys() -> None:
    users, sessions = manual.entry("users"), manual.entry("users.*.sessions")
    assert users is not None
    assert sessions is not None
    assert users.impact[-1] == "removed: DROP for the user's sessions (LATER with `on_remove: drain`)."
    assert users.keys == ("*",)
    assert "sessions" in (manual.entry("users.*") or users).keys
    assert len(sessions.impact) == 3


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dns_server", "dns_servers"),
        ("users.*.pasword", "users.*.password"),
        ("ip", "users.*.ip"),
        ("ip_forward", "forwarding.ip_forward"),
        ("user.theo.ip", "users.*.ip"),
        ("qqqq", None),
    ],
)
def test_the_closest_key(typed: str, meant: str | None) -> None:
    assert manual.entry(typed) is None
    assert manual.closest(typed) == meant
