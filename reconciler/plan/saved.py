"""A plan that was saved, and comes back: is it still what would be done?

Pure. Neighbours: ``plan.render`` wrote it. What comes back was on somebody's disk: nothing of it is believed
but what it can be compared by. This module must not know where it was saved, nor carry anything out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.plan.change import Plan
from reconciler.plan.render import as_json


def still_holds(plan: Plan, saved: Mapping[str, Any]) -> bool:
    """Whether ``plan``, the present one, makes the changes of the ``saved`` document to the same base, and
    ends no session that this did not name. What merely drifted does not count, and who has hung up since is
    not missed. False too when ``saved`` is no such document.
    """
    now = as_json(plan)
    try:
        same_base = saved["base_generation"] == now["base_generation"]
        return same_base and _meant(saved) == _meant(now) and _dropped(now) <= _dropped(saved)
    except (KeyError, TypeError, AttributeError):
        return False


def _meant(document: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What was wished. The kernel's addresses and routes follow from it, and from who is live."""
    return {
        change["path"]: (_plain(change["from"]), _plain(change["to"]))
        for change in document["changes"]
        if change["op"] != "heal" and not change["path"].startswith("kernel.")
    }


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _dropped(document: Mapping[str, Any]) -> set[tuple[str, str, int]]:
    return {
        (session["interface"], session["mac"], session["id"])
        for change in document["changes"]
        for session in change["sessions"]
        if session["impact"] == "DROP"
    }
