"""What a test needs and this machine has not: a skip with the reason; in CI, a failure."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def do_without(reason: str) -> NoReturn:
    """End the present test for want of something."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and in continuous integration nothing may be skipped", pytrace=False)
    pytest.skip(reason)
