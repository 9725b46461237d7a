"""``limits``: what subscribers' stations may ask of the engine."""

from __future__ import annotations

from reconciler.engine.messages import Settings
from reconciler.plan.state import State
from reconciler.resources.base import EngineSettings, Wanted


class Limits(EngineSettings):
    subjects = frozenset(
        f"limits.{name}" for name in ("padi_per_mac", "padi_total", "half_open", "failed_logins", "lockout")
    )

    def message(self, wanted: Wanted) -> Settings:
        limits = wanted.site.limits
        return {
            "limits": {
                "padi_per_mac": limits.padi_per_mac,
                "padi_total": limits.padi_total,
                "half_open": limits.half_open,
                "failed_logins": limits.failed_logins,
                "lockout": limits.lockout,
            }
        }

    def seen(self, settings: Settings) -> State:
        limits = settings["limits"]
        return {
            "limits.padi_per_mac": limits["padi_per_mac"],
            "limits.padi_total": limits["padi_total"],
            "limits.half_open": limits["half_open"],
            "limits.failed_logins": limits["failed_logins"],
            "limits.lockout": limits["lockout"],
        }
