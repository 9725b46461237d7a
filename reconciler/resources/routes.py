"""The way back to subscribers: routes to the data path's device for every address that a session may have.

They follow from the declaration, not from logins, so that a route is there before a session's first packet:
the pool, as few networks as cover it, and the fixed addresses. Beyond those, what live sessions still hold.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network

from reconciler.linux.errors import KernelError
from reconciler.plan.change import Change
from reconciler.plan.state import State
from reconciler.resources.base import Failure, Outcome, Situation, name_in
from reconciler.resources.kernel import Kernel
from reconciler.site.model import Site


class Routes:
    subjects = frozenset({"kernel.route"})

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def desired(self, at: Situation) -> State:
        if at.live.device is None:
            return {}
        held = [IPv4Address(session["address"]) for session in at.live.sessions if session["address"]]
        return {f"kernel.route.{network}": {} for network in networks(at.wanted.site, held)}

    def observe(self, at: Situation) -> State:
        if at.live.device is None:
            return {}
        return {f"kernel.route.{network}": {} for network in self._kernel.our_routes(at.live.device)}

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:
        if at.live.device is None:
            return Outcome()
        failures: list[Failure] = []
        for change in changes:
            network = name_in(change.path)
            try:
                if change.after is None:
                    self._kernel.remove_route(network, at.live.device)
                else:
                    self._kernel.add_route(network, at.live.device, at.live.via)
            except KernelError as error:
                failures.append(Failure(change.path, "RouteFailed", str(error)))
        return Outcome(tuple(failures))


def networks(site: Site, held: Iterable[IPv4Address] = ()) -> Iterator[IPv4Network]:
    """What must be routed to subscribers: the pool, then enabled users' fixed addresses, then ``held`` ones
    that neither contains. Each stands apart from the next, so that a login or a new user never regroups the
    pool.
    """
    first = site.pool_start
    last = IPv4Address(min(int(first) + site.pool_size - 1, 2**32 - 1))
    yield from ipaddress.summarize_address_range(first, last)
    fixed = {user.ip for user in site.users.values() if user.ip and user.enabled}
    outside = [IPv4Network(address) for address in fixed if not first <= address <= last]
    yield from ipaddress.collapse_addresses(outside)
    yield from (IPv4Network(a) for a in sorted(set(held)) if a not in fixed and not first <= a <= last)
