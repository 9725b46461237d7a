"""``access_only``: whether the interfaces are for subscribers alone, which the engine's data path sees to."""

from __future__ import annotations

from reconciler.engine.messages import Settings
from reconciler.plan.state import State
from reconciler.resources.base import EngineSettings, Wanted


class AccessOnly(EngineSettings):
    subjects = frozenset({"access_only"})

    def message(self, wanted: Wanted) -> Settings:
        return {"access_only": wanted.site.access_only}

    def seen(self, settings: Settings) -> State:
        return {"access_only": settings["access_only"]}
