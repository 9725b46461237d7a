"""``ac_name`` and ``service_names``: what the engine calls itself in offers, and what it offers."""

from __future__ import annotations

from reconciler.engine.messages import Settings
from reconciler.plan.state import State
from reconciler.resources.base import EngineSettings, Wanted


class Identity(EngineSettings):
    subjects = frozenset({"ac_name", "service_names"})

    def message(self, wanted: Wanted) -> Settings:
        return {
            "ac_name": wanted.site.ac_name or wanted.hostname,
            "service_names": list(wanted.site.service_names),
        }

    def seen(self, settings: Settings) -> State:
        return {"ac_name": settings["ac_name"], "service_names": settings["service_names"]}
