"""``pool_start`` and ``pool_size``: the addresses that the engine leases, as one of its named pools."""

from __future__ import annotations

from reconciler.engine.messages import Settings
from reconciler.plan.state import State
from reconciler.resources.base import EngineSettings, Wanted

POOL = "default"


class Leases(EngineSettings):
    subjects = frozenset({"pool_start", "pool_size"})

    def message(self, wanted: Wanted) -> Settings:
        start, size = str(wanted.site.pool_start), wanted.site.pool_size
        return {"pools": [{"name": POOL, "start": start, "size": size}]}

    def seen(self, settings: Settings) -> State:
        for pool in settings["pools"]:
            if pool["name"] == POOL:
                return {"pool_start": pool["start"], "pool_size": pool["size"]}
        return {}
