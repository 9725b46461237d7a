"""What holds for every test: Hypothesis never judges by the clock, and says how to repeat what it found."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("reconciler", deadline=None, print_blob=True)
settings.load_profile("reconciler")
