"""What site.yaml says of limits by default is what an engine does that nobody has set."""

from __future__ import annotations

from dataclasses import asdict

from reconciler.engine.access.limits import USUAL
from reconciler.site.tables import Limits


def test_D22_A22_the_defaults_are_the_engines_own() -> None:
    assert Limits().model_dump() == asdict(USUAL)
