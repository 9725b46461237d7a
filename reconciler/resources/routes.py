"""The way back to subscribers: routes to the data path's device for every address that a session may have.

They follow from the declaration, not from logins, so that a route is there before a session's first packet:
the pool, as few networks as cover it, and the fixed addresses. Beyond those, what live sessions still hold.

A route is taken away only when every session has another, whatever could not be made before, and whoever
has dialled in since we looked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network

from reconciler.linux.errors import KernelError
from reconciler.plan.change import Change
from reconciler.plan.state import State
from reconciler.resources.base import Failure, Live, Outcome, Situation, name_in
from reconciler.resources.engine import EngineClient
from reconciler.resources.kernel import Kernel
from reconciler.site.model import Site


class Routes:
    subjects = frozenset({"kernel.route"})

    def __init__(self, kernel: Kernel, engine: EngineClient) -> None:
        self._kernel = kernel
        self._engine = engine

    def desired(self, at: Situation) -> State:
        if at.live.device is None:
            return {}
        return {f"kernel.route.{network}": {} for network in networks(at.wanted.site, _held(at.live))}

    def observe(self, at: Situation) -> State:
        if at.live.device is None:
            return {}
        return {f"kernel.route.{network}": {} for network in self._kernel.our_routes(at.live.device)}

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:
        if at.live.device is None:
            return Outcome()
        failures: list[Failure] = []
        held = self._held_now(at.live.device) if any(change.after is None for change in changes) else []
        for change in changes:
            network = name_in(change.path)
            try:
                if change.after is not None:
                    self._kernel.add_route(network, at.live.device, at.live.via)
                elif who := self._only_way(network, held, at.live.device):
                    failures.append(Failure(change.path, "RouteNeeded", f"no other route leads to {who}"))
                else:
                    self._kernel.remove_route(network, at.live.device)
            except KernelError as error:
                failures.append(Failure(change.path, "RouteFailed", str(error)))
        return Outcome(tuple(failures))

    def _held_now(self, device: str) -> list[IPv4Address]:
        return _held(Live(self._engine.observe(), device))

    def _only_way(self, network: str, held: Iterable[IPv4Address], device: str) -> IPv4Address | None:
        """One of the addresses ``held`` that no other route leads to."""
        inside = [address for address in held if address in IPv4Network(network)]
        others = [IPv4Network(route) for route in self._kernel.our_routes(device) if route != network]
        return next((a for a in inside if not any(a in other for other in others)), None)


def _held(live: Live) -> list[IPv4Address]:
    """The addresses of live sessions."""
    return [IPv4Address(session["address"]) for session in live.sessions if session["address"]]


def networks(site: Site, held: Iterable[IPv4Address] = ()) -> Iterator[IPv4Network]:
    """What must be routed to subscribers: the pool, then enabled users' fixed addresses, then ``held`` ones
    that neither contains. Each stands apart from the next, so that a login or a new user never regroups the
    pool. What is held of a pool that was left is a whole street: as few networks as cover it.
    """
    first = site.pool_start
    last = IPv4Address(min(int(first) + site.pool_size - 1, 2**32 - 1))
    yield from ipaddress.summarize_address_range(first, last)
    fixed = {user.ip for user in site.users.values() if user.ip and user.enabled}
    outside = [IPv4Network(address) for address in fixed if not first <= address <= last]
    yield from ipaddress.collapse_addresses(outside)
    left = [IPv4Network(a) for a in set(held) if a not in fixed and not first <= a <= last]
    yield from ipaddress.collapse_addresses(left)
