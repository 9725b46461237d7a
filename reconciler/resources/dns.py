"""``dns_servers`` and ``wins_servers``: the name servers that subscribers are told of."""

from __future__ import annotations

from reconciler.engine.messages import Settings
from reconciler.plan.state import State
from reconciler.resources.base import EngineSettings, Wanted


class NameServers(EngineSettings):
    subjects = frozenset({"dns_servers", "wins_servers"})

    def message(self, wanted: Wanted) -> Settings:
        return {
            "dns_servers": [str(address) for address in wanted.site.dns_servers],
            "wins_servers": [str(address) for address in wanted.site.wins_servers],
        }

    def seen(self, settings: Settings) -> State:
        return {"dns_servers": settings["dns_servers"], "wins_servers": settings["wins_servers"]}
