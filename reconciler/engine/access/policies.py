"""The rules of links, made of settings once: sessions under the same settings are many, and share them.

Neighbours: ``concentrator``. It must not know sessions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.engine.ppp.link import LinkPolicy

if TYPE_CHECKING:
    from reconciler.engine.access.config import Config


class Policies:
    """By settings and MRU (octets)."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        # With each its settings, so that no others can come to have their id.
        self._made: dict[tuple[int, int], tuple[Config, LinkPolicy]] = {}

    def of(self, config: Config, mru: int) -> LinkPolicy:
        """The rules for a link under these very settings."""
        known = self._made.get((id(config), mru))
        if known is not None:
            return known[1]
        policy = LinkPolicy(
            name=config.ac_name,
            auth=config.auth,
            mru=mru,
            rechallenge=config.rechallenge,
            echo_interval=config.echo_interval,
            echo_failures=config.echo_failures,
        )
        self._made[id(config), mru] = config, policy
        return policy

    def clear(self) -> None:
        """Keep none for others: new sessions have new settings."""
        self._made.clear()
