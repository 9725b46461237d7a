"""What is done about drift, class by class, as the operator chose: put back, only shown, or not even that.

Works on a plan that is made, and touches nothing in it that an edit asks for. This module must not know how
drift is found or put back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from reconciler.plan.change import Change, Plan
from reconciler.plan.state import split

_CLASSES: Final = {
    "forwarding.ip_forward": "forwarding",
    "forwarding.proxy_arp": "forwarding",
    "forwarding.rp_filter": "forwarding",
    "kernel.up": "links",
    "kernel.mtu": "links",
    "kernel.address": "addresses",
    "kernel.route": "routes",
    "nat.masquerade": "nft",
    "clamp_mss": "nft",
    "kernel.nft.nat": "nft",
    "kernel.nft.mss": "nft",
}
"""The class of each subject that somebody beside us can change. The engine's own is always put back."""


class Choices(Protocol):
    """A choice for each class, ``on``, ``report`` or ``off``, by name. A site's ``self_heal`` is one."""

    @property
    def forwarding(self) -> str: ...

    @property
    def links(self) -> str: ...

    @property
    def addresses(self) -> str: ...

    @property
    def routes(self) -> str: ...

    @property
    def nft(self) -> str: ...


def class_of(path: str) -> str | None:
    """The class of what is at a state's path; None if only we can change it."""
    return _CLASSES.get(split(path)[0])


def under(plan: Plan, choices: Choices) -> Plan:
    """The plan without drift that is not looked at, and with drift that is only reported marked as such."""
    changes = (_under(change, choices) for change in plan.changes)
    return replace(plan, changes=tuple(change for change in changes if change is not None))


def to_do(plan: Plan) -> tuple[Change, ...]:
    """What of a plan is to be carried out."""
    return tuple(change for change in plan.changes if not change.only_reported)


def ignored(path: str, choices: Choices) -> bool:
    """Whether drift of what is at a state's path is not looked at."""
    kind = class_of(path)
    return kind is not None and getattr(choices, kind) == "off"


def _under(change: Change, choices: Choices) -> Change | None:
    kind = class_of(change.path) if change.op == "heal" else None
    if kind is None:
        return change
    if ignored(change.path, choices):
        return None
    if getattr(choices, kind) == "report":
        reason = f"{change.reason}, left so: self_heal.{kind} is report"
        return replace(change, only_reported=True, reason=reason)
    return change
