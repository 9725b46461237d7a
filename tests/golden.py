"""Whole outputs kept as files beside the tests, so that a change of wording is seen as a reader would see it.

``UPDATE_GOLDEN=1`` writes them anew; the difference is then for review.
"""

from __future__ import annotations

import os
from pathlib import Path


def assert_golden(path: Path, text: str) -> None:
    """``text`` is what the file holds."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"differs from {path.name}; UPDATE_GOLDEN=1 rewrites it"
