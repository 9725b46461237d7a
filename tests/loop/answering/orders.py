"""Sites to give orders about, and looks at what came of them."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.loop.gate import Held
from tests.loop.world import SITE, World

FIRST = SITE + "forwarding: {ip_forward: true}\n"
SECOND = FIRST.replace("one", "three")
THIRD = FIRST.replace("one", "four")
MANY = FIRST.replace("users:\n", "users:\n" + "".join(f"  u{number}: x\n" for number in range(8)))


def take(
    world: World,
    within: float | None = None,
    saved: Mapping[str, object] | None = None,
    allow: str | None = None,
) -> Held | None:
    """What `apply` does."""
    world.orders.await_writer()
    return world.orders.take("ann", within, saved, allow)


def theo(world: World) -> object:
    """What theo has to say to log in."""
    return world.engine.users["theo"]["secret"]


def condition(world: World, kind: str) -> tuple[bool, str, str]:
    found = {one.type: one for one in world.board.conditions}[kind]
    return found.status, found.reason, found.message


def told(world: World) -> list[str]:
    return [entry.event["type"] for entry in world.events.after(0)]
