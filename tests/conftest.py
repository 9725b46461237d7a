"""What holds for every test: Hypothesis never judges by the clock, and says how to repeat what it found.

Everybody's runs look at examples of their own, and so find what nobody thought of. Continuous integration
(``--hypothesis-profile=ci``) looks at the same examples each time: it judges the change, not the day's luck.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "reconciler", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("reconciler"), derandomize=True, database=None)
settings.load_profile("reconciler")
