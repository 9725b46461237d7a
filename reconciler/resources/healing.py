"""``self_heal``: what is done about drift. Kept by us; the loop reads it from the site."""

from __future__ import annotations

from reconciler.plan.state import State
from reconciler.resources.base import Situation
from reconciler.resources.kept import Kept
from reconciler.site.tables import SelfHeal


class Healing(Kept):
    name = "self_heal"
    subjects = frozenset(f"self_heal.{name}" for name in SelfHeal.model_fields)

    def desired(self, at: Situation) -> State:
        chosen = at.wanted.site.self_heal
        return {f"self_heal.{name}": getattr(chosen, name) for name in SelfHeal.model_fields}
