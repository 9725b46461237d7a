"""D44: what comes from the network is printed without effect on whoever reads it."""

from __future__ import annotations

import pytest

from reconciler.probe.text import readable


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"SERVER", "SERVER"),
        (b"", ""),
        (b"\x1b[31mred\r\n\0\xff", r"\x1b[31mred\x0d\x0a\x00\xff"),
        ("é".encode(), r"\xc3\xa9"),
        (b'"\\', r"\x22\x5c"),
        (b"x" * 81, "x" * 80 + "…"),
    ],
)
def test_D44_text_is_escaped_and_bounded(octets: bytes, shown: str) -> None:
    assert readable(octets) == shown
