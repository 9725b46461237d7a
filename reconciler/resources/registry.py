"""Every resource, in the order in which things are made; they are taken away in the reverse of it.

Why this order. The kernel first: forwarding, then the device, our address, the routes (a route needs its
device up, and its address as its source) and the rules, so that a session's first packet finds all it needs.
Then the engine's settings, then the users, and only then the interfaces, so that the first subscriber who is
heard meets everything as declared. The guard's limits, and what is done about drift, come last: they are for
the next edit. Taking away begins at the other end: no more offers, then the kernel, so that no live session
loses its route. Users pass in one request, additions and removals together, and are therefore not split.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from reconciler.plan.change import Change
from reconciler.plan.state import split
from reconciler.resources.access import AccessOnly
from reconciler.resources.address import DeviceAddress, PeerAddress
from reconciler.resources.base import Failure, Resource
from reconciler.resources.clamp import Clamp
from reconciler.resources.device import Device
from reconciler.resources.dns import NameServers
from reconciler.resources.engine import EngineClient
from reconciler.resources.guard import Guard
from reconciler.resources.healing import Healing
from reconciler.resources.identity import Identity
from reconciler.resources.kept import Facts
from reconciler.resources.kernel import Kernel
from reconciler.resources.leases import Leases
from reconciler.resources.limits import Limits
from reconciler.resources.link import LinkPolicy
from reconciler.resources.listeners import Listeners
from reconciler.resources.nat import Nat
from reconciler.resources.routes import Routes
from reconciler.resources.sysctl import Forwarding, Memory
from reconciler.resources.users import Users


class Keeper(Memory, Facts, Protocol):
    """What outlives the process."""


class Borrowed(Protocol):
    """Has something of the machine's that it can give back."""

    def release(self) -> tuple[Failure, ...]:
        """Give back everything; what could not be."""


Step = tuple[Resource, tuple[Change, ...]]


def registry(engine: EngineClient, kernel: Kernel, memory: Keeper) -> tuple[Resource, ...]:
    """The resources, in the order of making."""
    return (
        Forwarding(kernel, memory),
        Device(kernel),
        DeviceAddress(kernel, engine),
        Routes(kernel, engine),
        Nat(kernel, memory),
        Clamp(kernel, memory),
        PeerAddress(engine),
        Leases(engine),
        NameServers(engine),
        LinkPolicy(engine),
        Limits(engine),
        Identity(engine),
        AccessOnly(engine),
        Users(engine),
        Listeners(engine, kernel),
        Guard(memory),
        Healing(memory),
    )


def borrowed(kernel: Kernel, memory: Keeper) -> tuple[Borrowed, ...]:
    """What is left in the machine when we go, and can be given back."""
    return Forwarding(kernel, memory), Nat(kernel, memory), Clamp(kernel, memory)


def steps(resources: Sequence[Resource], changes: Sequence[Change]) -> Iterator[Step]:
    """Who does what, in which order: everything that is made, then everything that is taken away."""
    by_subject: dict[str, list[Change]] = {}
    for change in changes:
        by_subject.setdefault(split(change.path)[0], []).append(change)
    for resource in resources:
        theirs = _of(resource, by_subject)
        if made := tuple(c for c in theirs if c.after is not None or _whole(resource)):
            yield resource, made
    for resource in reversed(resources):
        theirs = _of(resource, by_subject)
        if taken := tuple(c for c in theirs if c.after is None and not _whole(resource)):
            yield resource, taken


def _of(resource: Resource, by_subject: Mapping[str, list[Change]]) -> list[Change]:
    """A resource's changes, each subject's in their order."""
    return [change for subject in sorted(resource.subjects) for change in by_subject.get(subject, ())]


def _whole(resource: Resource) -> bool:
    return isinstance(resource, Users)
