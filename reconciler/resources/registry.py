"""Every resource, in the order in which things are made; they are taken away in the reverse of it.

Why this order. The kernel first: forwarding, then our address, then the routes (a route needs its device's
address as its source), so that a session's first packet finds all it needs. Then the engine's settings,
then the users, and only then the interfaces, so that the first subscriber who is heard meets everything as
declared. The guard's limits come last: they are for the next edit. Taking away begins at the other end: no
more offers, then the kernel, so that no live session loses its route. Users pass in one request, additions
and removals together, and are therefore not split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from reconciler.plan.change import Change
from reconciler.plan.state import split
from reconciler.resources.address import DeviceAddress, PeerAddress
from reconciler.resources.base import Resource
from reconciler.resources.dns import NameServers
from reconciler.resources.engine import EngineClient
from reconciler.resources.guard import Facts, Guard
from reconciler.resources.identity import Identity
from reconciler.resources.kernel import Kernel
from reconciler.resources.leases import Leases
from reconciler.resources.limits import Limits
from reconciler.resources.link import LinkPolicy
from reconciler.resources.listeners import Listeners
from reconciler.resources.routes import Routes
from reconciler.resources.sysctl import Forwarding, Memory
from reconciler.resources.users import Users


class Keeper(Memory, Facts, Protocol):
    """What outlives the process."""


Step = tuple[Resource, tuple[Change, ...]]


def registry(engine: EngineClient, kernel: Kernel, memory: Keeper) -> tuple[Resource, ...]:
    """The resources, in the order of making."""
    return (
        Forwarding(kernel, memory),
        DeviceAddress(kernel),
        Routes(kernel),
        PeerAddress(engine),
        Leases(engine),
        NameServers(engine),
        LinkPolicy(engine),
        Limits(engine),
        Identity(engine),
        Users(engine),
        Listeners(engine, kernel),
        Guard(memory),
    )


def steps(resources: Sequence[Resource], changes: Sequence[Change]) -> Iterator[Step]:
    """Who does what, in which order: everything that is made, then everything that is taken away."""
    for resource in resources:
        if made := tuple(
            c for c in changes if _owns(resource, c) and (c.after is not None or _whole(resource))
        ):
            yield resource, made
    for resource in reversed(resources):
        if taken := tuple(
            c for c in changes if _owns(resource, c) and c.after is None and not _whole(resource)
        ):
            yield resource, taken


def _owns(resource: Resource, change: Change) -> bool:
    return split(change.path)[0] in resource.subjects


def _whole(resource: Resource) -> bool:
    return isinstance(resource, Users)
