"""Rules that take more than one value to break: addresses, the pool, and what ``site.logins`` adds.

A pass of its own over the tree, which runs whatever else is wrong, so that all findings appear in one run.
Values that cannot be read are skipped: the model reports them. This module must not know how findings are
shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from reconciler.site.diagnostic import Diagnostic, Related
from reconciler.site.escape import visible
from reconciler.site.facts import At, UserFacts, address, positive
from reconciler.site.logins import check_logins
from reconciler.site.model import Site
from reconciler.site.place import Place
from reconciler.site.tables import Limits, Nat
from reconciler.site.tree import Listing, Scalar, Table

_RESERVED: Final = (
    (0, 0, "a reserved address"),
    (127, 127, "a loopback address"),
    (224, 239, "a multicast address"),
    (240, 255, "a reserved address"),
)
"""First octets, from and to, of the addresses that no host can have (RFC 1122 §3.2.1.3, RFC 1112 §4)."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """What could be read. ``size`` is the pool's, None when it is given but cannot be read."""

    root: Table
    local: At | None
    start: At | None
    size: int | None
    users: Sequence[UserFacts]

    @property
    def last(self) -> int | None:
        """The pool's last address as a number, which may be beyond the address space."""
        return None if self.start is None or self.size is None else self.start.number + self.size - 1


def cross_check(root: Table, users: Sequence[UserFacts]) -> Iterator[Diagnostic]:
    """Every finding that takes more than one value, or the meaning of an address, to see. ``users`` are all
    of the site's; those in ``root`` are not looked at.
    """
    facts = _facts(root, users)
    for check in (_same_address, _usable, _local_address, _pool_end, _pool_room, _several_sessions):
        yield from check(facts)
    yield from check_logins(root, users)
    yield from _listed_twice(root)
    yield from _limits(root)


def _same_address(facts: _Facts) -> Iterator[Diagnostic]:
    first: dict[int, UserFacts] = {}
    for user in facts.users:
        if user.fixed is None:
            continue
        other = first.setdefault(user.fixed.number, user)
        if other is user or user.ip is None or other.ip is None:
            continue
        yield Diagnostic(
            "E104",
            f"two users have the address {_dotted(user.ip)}",
            user.ip.place,
            f"given again to {visible(user.name)}",
            f"give {visible(user.name)} another address, or leave `ip` out to use the pool",
            (Related(other.ip.place, f"first given to {visible(other.name)} here"),),
        )


def _usable(facts: _Facts) -> Iterator[Diagnostic]:
    doubtful = (user for user in facts.users if user.fixed is not None and _doubtful(user.fixed))
    ends = [("`local_ip`", facts.local)]
    ends += [(f"`ip` of user {visible(user.name)}", user.ip) for user in doubtful]
    others = [("`pool_start`", facts.start)]
    for key in ("dns_servers", "wins_servers"):
        node = facts.root.get(key)
        others += [(f"`{key}`", address(item)) for item in (node.items if isinstance(node, Listing) else ())]
    for subject, found in ends + others:
        if found is not None and (kind := _reserved(found.number)) is not None:
            advice = "give an address that a host can have"
            yield Diagnostic("E141", f"{subject}: {_dotted(found)} is {kind}", found.place, "", advice)
    for subject, found in ends:
        if found is not None and _reserved(found.number) is None and _doubtful(found):
            message = f"{subject}: {_dotted(found)} looks like a network's own or broadcast address"
            yield Diagnostic("W203", message, found.place, "", "prefer one that ends in .1 to .254")


def _local_address(facts: _Facts) -> Iterator[Diagnostic]:
    local = facts.local
    if local is None:
        return
    related = (Related(local.place, "ours is given here"),)
    for user in facts.users:
        if user.fixed is not None and user.fixed.number == local.number and user.ip is not None:
            message = f"user {visible(user.name)} has our own address {_dotted(local)}"
            advice = f"give {visible(user.name)} another address, or leave `ip` out to use the pool"
            yield Diagnostic("E140", message, user.ip.place, "the same as `local_ip`", advice, related)
    if facts.start is not None and facts.last is not None:
        offset = local.number - facts.start.number
        if 0 <= offset <= facts.last - facts.start.number:
            ways = [f"start the pool at {IPv4Address(local.number) + 1}"]
            if offset:
                ways.append(f"set `pool_size: {offset}`")
            message = f"the pool contains our own address {_dotted(local)}"
            label = f"{facts.size} addresses from here"
            yield Diagnostic("E142", message, facts.start.place, label, ", or ".join(ways), related)


def _pool_end(facts: _Facts) -> Iterator[Diagnostic]:
    if facts.start is None or facts.last is None or _reserved(facts.start.number) is not None:
        return
    first = facts.start.number
    beyond = [octet << 24 for octet, _, _ in _RESERVED if first < octet << 24 <= facts.last]
    if beyond:
        room = min(beyond) - first
        message = f"the pool of {facts.size} addresses runs past the last usable one"
        label = f"{room} fit from here"
        yield Diagnostic("E143", message, _size_place(facts), label, f"set `pool_size` to at most {room}")


def _pool_room(facts: _Facts) -> Iterator[Diagnostic]:
    if facts.start is None or facts.size is None or facts.last is None:
        return
    first, last = facts.start.number, facts.last
    fixed = {user.fixed.number for user in facts.users if user.fixed is not None}
    room = facts.size - sum(first <= number <= last for number in fixed)
    need = sum(user.sessions for user in facts.users if user.enabled and user.fixed is None)
    if need > room:
        message = f"the pool has {room} addresses for {need} sessions"
        label = "fixed addresses within the pool are not for others" if room < facts.size else ""
        advice = f"set `pool_size` to at least {facts.size + need - room}"
        yield Diagnostic("W201", message, _size_place(facts), label, advice)


def _several_sessions(facts: _Facts) -> Iterator[Diagnostic]:
    for user in facts.users:
        if user.sessions > 1 and user.ip is not None:
            message = f"user {visible(user.name)} may have {user.sessions} sessions but has one fixed address"
            advice = "leave `ip` out, or set `sessions: 1`"
            yield Diagnostic("W202", message, user.ip.place, "only one session can hold it", advice)


def _listed_twice(root: Table) -> Iterator[Diagnostic]:
    nat = root.get("nat")
    entries = [*root.entries(), *(nat.entries() if isinstance(nat, Table) else ())]
    known = Site.model_fields.keys() | Nat.model_fields.keys()
    for key, node in entries:
        first: dict[str, Place] = {}
        for item in node.items if isinstance(node, Listing) and key.text in known else ():
            if not isinstance(item, Scalar):
                continue
            place = first.setdefault(item.text, item.place)
            if place is not item.place:
                related = (Related(place, "first here"),)
                message = f"`{key.text}` has the same entry twice"
                yield Diagnostic("E132", message, item.place, "again here", "remove one of them", related)


def _limits(root: Table) -> Iterator[Diagnostic]:
    limits = root.get("limits")
    if not isinstance(limits, Table):
        return
    each, total = (limits.get("padi_per_mac"), limits.get("padi_total"))
    one = Limits.model_fields["padi_per_mac"].default if each is None else positive(each)
    every = Limits.model_fields["padi_total"].default if total is None else positive(total)
    if one is not None and every is not None and one > every:
        message = f"one station may use up what all have together: {one} PADIs a second of {every}"
        place = (total or each or limits).place
        yield Diagnostic("W210", message, place, "", "set `padi_total` to several times `padi_per_mac`")


def _facts(root: Table, users: Sequence[UserFacts]) -> _Facts:
    size_node = root.get("pool_size")
    return _Facts(
        root=root,
        local=address(root.get("local_ip")),
        start=address(root.get("pool_start")),
        size=Site.model_fields["pool_size"].default if size_node is None else positive(size_node),
        users=users,
    )


def _reserved(number: int) -> str | None:
    octet = number >> 24
    return next((kind for first, last, kind in _RESERVED if first <= octet <= last), None)


def _doubtful(at: At) -> bool:
    """Whether an address is worth a second look: none of the usual ones."""
    return at.number & 0xFF in {0, 255} or _reserved(at.number) is not None


def _dotted(at: At) -> str:
    return str(IPv4Address(at.number))


def _size_place(facts: _Facts) -> Place | None:
    size = facts.root.get("pool_size")
    if size is not None:
        return size.place
    return facts.start.place if facts.start is not None else None
