"""Rules that take more than one value to break: addresses, the pool, and what ``site.logins`` adds.

A pass of its own over the tree, which runs whatever else is wrong, so that all findings appear in one run.
Values that cannot be read are skipped: the model reports them. This module must not know how findings are
shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final, NamedTuple, TypeVar

from reconciler.site import values
from reconciler.site.diagnostic import Diagnostic, Related
from reconciler.site.escape import visible
from reconciler.site.logins import check_logins
from reconciler.site.model import Limits, Site, User
from reconciler.site.place import Place
from reconciler.site.tree import Listing, Node, Scalar, Table

T = TypeVar("T")

_RESERVED: Final = (
    (0, 0, "a reserved address"),
    (127, 127, "a loopback address"),
    (224, 239, "a multicast address"),
    (240, 255, "a reserved address"),
)
"""First octets, from and to, of the addresses that no host can have (RFC 1122 §3.2.1.3, RFC 1112 §4)."""


class _At(NamedTuple):
    """An address and where it is given."""

    address: IPv4Address
    place: Place


@dataclass(frozen=True, slots=True)
class _UserFacts:
    name: str
    ip: _At | None
    sessions: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    """What could be read. ``size`` is the pool's, None when it is given but cannot be read."""

    root: Table
    local: _At | None
    start: _At | None
    size: int | None
    users: tuple[_UserFacts, ...]

    @property
    def last(self) -> int | None:
        """The pool's last address as a number, which may be beyond the address space."""
        return None if self.start is None or self.size is None else int(self.start.address) + self.size - 1


def cross_check(root: Table) -> Iterator[Diagnostic]:
    """Every finding that takes more than one value, or the meaning of an address, to see."""
    facts = _facts(root)
    for check in (_same_address, _usable, _local_address, _pool_end, _pool_room, _several_sessions):
        yield from check(facts)
    yield from check_logins(root)
    yield from _listed_twice(root)
    yield from _limits(root)


def _same_address(facts: _Facts) -> Iterator[Diagnostic]:
    first: dict[IPv4Address, _UserFacts] = {}
    for user in facts.users:
        if user.ip is None:
            continue
        other = first.setdefault(user.ip.address, user)
        if other is user or other.ip is None:
            continue
        yield Diagnostic(
            "E104",
            f"two users have the address {user.ip.address}",
            user.ip.place,
            f"given again to {visible(user.name)}",
            f"give {visible(user.name)} another address, or leave `ip` out to use the pool",
            (Related(other.ip.place, f"first given to {visible(other.name)} here"),),
        )


def _usable(facts: _Facts) -> Iterator[Diagnostic]:
    ends = [("`local_ip`", facts.local)]
    ends += [(f"`ip` of user {visible(user.name)}", user.ip) for user in facts.users]
    others = [("`pool_start`", facts.start)]
    for key in ("dns_servers", "wins_servers"):
        node = facts.root.get(key)
        others += [(f"`{key}`", _address(item)) for item in (node.items if isinstance(node, Listing) else ())]
    for subject, found in ends + others:
        if found is not None and (kind := _reserved(found.address)) is not None:
            advice = "give an address that a host can have"
            yield Diagnostic("E141", f"{subject}: {found.address} is {kind}", found.place, "", advice)
    for subject, found in ends:
        if found is not None and _reserved(found.address) is None and int(found.address) & 0xFF in {0, 255}:
            message = f"{subject}: {found.address} looks like a network's own or broadcast address"
            yield Diagnostic("W203", message, found.place, "", "prefer one that ends in .1 to .254")


def _local_address(facts: _Facts) -> Iterator[Diagnostic]:
    local = facts.local
    if local is None:
        return
    related = (Related(local.place, "ours is given here"),)
    for user in facts.users:
        if user.ip is not None and user.ip.address == local.address:
            message = f"user {visible(user.name)} has our own address {local.address}"
            advice = f"give {visible(user.name)} another address, or leave `ip` out to use the pool"
            yield Diagnostic("E140", message, user.ip.place, "the same as `local_ip`", advice, related)
    if facts.start is not None and facts.last is not None:
        offset = int(local.address) - int(facts.start.address)
        if 0 <= offset <= facts.last - int(facts.start.address):
            ways = [f"start the pool at {local.address + 1}"]
            if offset:
                ways.append(f"set `pool_size: {offset}`")
            message = f"the pool contains our own address {local.address}"
            label = f"{facts.size} addresses from here"
            yield Diagnostic("E142", message, facts.start.place, label, ", or ".join(ways), related)


def _pool_end(facts: _Facts) -> Iterator[Diagnostic]:
    if facts.start is None or facts.last is None or _reserved(facts.start.address) is not None:
        return
    first = int(facts.start.address)
    beyond = [octet << 24 for octet, _, _ in _RESERVED if first < octet << 24 <= facts.last]
    if beyond:
        room = min(beyond) - first
        message = f"the pool of {facts.size} addresses runs past the last usable one"
        label = f"{room} fit from here"
        yield Diagnostic("E143", message, _size_place(facts), label, f"set `pool_size` to at most {room}")


def _pool_room(facts: _Facts) -> Iterator[Diagnostic]:
    if facts.start is None or facts.size is None or facts.last is None:
        return
    first, last = int(facts.start.address), facts.last
    fixed = {user.ip.address for user in facts.users if user.ip is not None}
    room = facts.size - sum(first <= int(address) <= last for address in fixed)
    need = sum(user.sessions for user in facts.users if user.enabled and user.ip is None)
    if need > room:
        message = f"the pool has {room} addresses for {need} sessions"
        label = "fixed addresses within the pool are not for others" if room < facts.size else ""
        advice = f"set `pool_size` to at least {facts.size + need - room}"
        yield Diagnostic("W201", message, _size_place(facts), label, advice)


def _several_sessions(facts: _Facts) -> Iterator[Diagnostic]:
    for user in facts.users:
        if user.ip is not None and user.sessions > 1:
            message = f"user {visible(user.name)} may have {user.sessions} sessions but has one fixed address"
            advice = "leave `ip` out, or set `sessions: 1`"
            yield Diagnostic("W202", message, user.ip.place, "only one session can hold it", advice)


def _listed_twice(root: Table) -> Iterator[Diagnostic]:
    for key, node in root.entries():
        first: dict[str, Place] = {}
        for item in node.items if isinstance(node, Listing) and key.text in Site.model_fields else ():
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
    one = Limits.model_fields["padi_per_mac"].default if each is None else _positive(each)
    every = Limits.model_fields["padi_total"].default if total is None else _positive(total)
    if one is not None and every is not None and one > every:
        message = f"one station may use up what all have together: {one} PADIs a second of {every}"
        place = (total or each or limits).place
        yield Diagnostic("W210", message, place, "", "set `padi_total` to several times `padi_per_mac`")


def _facts(root: Table) -> _Facts:
    users = root.get("users")
    size_node = root.get("pool_size")
    return _Facts(
        root=root,
        local=_address(root.get("local_ip")),
        start=_address(root.get("pool_start")),
        size=Site.model_fields["pool_size"].default if size_node is None else _positive(size_node),
        users=tuple(_user(key, node) for key, node in users.entries()) if isinstance(users, Table) else (),
    )


def _user(key: Scalar, node: Node) -> _UserFacts:
    table = node if isinstance(node, Table) else Table(node.place)
    sessions, enabled = table.get("sessions"), table.get("enabled")
    return _UserFacts(
        name=key.text,
        ip=_address(table.get("ip")),
        sessions=(sessions and _positive(sessions)) or User.model_fields["sessions"].default,
        enabled=enabled is None or _read(enabled, values.truth) is not False,
    )


def _address(node: Node | None) -> _At | None:
    address = None if node is None else _read(node, values.address)
    return None if node is None or address is None else _At(address, node.place)


def _positive(node: Node) -> int | None:
    number = _read(node, values.whole_number)
    return number if number is not None and number > 0 else None


def _read(node: Node, parse: Callable[[object], T]) -> T | None:
    if not isinstance(node, Scalar):
        return None
    try:
        return parse(node.text)
    except values.UnfitError:
        return None


def _reserved(address: IPv4Address) -> str | None:
    octet = int(address) >> 24
    return next((kind for first, last, kind in _RESERVED if first <= octet <= last), None)


def _size_place(facts: _Facts) -> Place | None:
    size = facts.root.get("pool_size")
    if size is not None:
        return size.place
    return facts.start.place if facts.start is not None else None
