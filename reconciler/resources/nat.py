"""``nat``: subscribers' private addresses leave by an interface as the address of that interface.

A rule for each network, since that is what nftables shows again in the same words. Only what comes from the
data path's device is meant, and of that the pool and private addresses: whoever has a public fixed address
keeps it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import ClassVar

from reconciler.plan.state import State
from reconciler.resources.base import Situation, name_in
from reconciler.resources.nft import INPUT, OUTPUT, Expression, Rule, Rules, match, matched
from reconciler.site.model import Site

_FAMILY = "nat.masquerade"
_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918 §3, and RFC 6598 §7 for addresses between a provider and its subscribers."""

_SOURCE: Expression = {"payload": {"protocol": "ip", "field": "saddr"}}
_MASQUERADE: Expression = {"masquerade": None}


class Nat(Rules):
    kind = "nat"
    subjects = frozenset({_FAMILY, "kernel.nft.nat"})
    chain: ClassVar = {
        "name": "postrouting",
        "type": "nat",
        "hook": "postrouting",
        "prio": 100,
        "policy": "accept",
    }

    def declared(self, at: Situation) -> State:
        sources = [str(network) for network in translated(at.wanted.site)]
        return {f"{_FAMILY}.{interface}": sources for interface in at.wanted.site.nat.masquerade}

    def rules(self, state: State, device: str) -> list[Rule]:
        return [
            _rule(device, name_in(path), network)
            for path, networks in sorted(state.items())
            if isinstance(networks, list)
            for network in networks
        ]

    def seen(self, rules: Sequence[Rule], device: str) -> tuple[State, int]:
        state: dict[str, list[str]] = {}
        foreign = 0
        for rule in rules:
            interface, network = matched(rule, OUTPUT), _network(matched(rule, _SOURCE))
            if isinstance(interface, str) and network and list(rule) == _rule(device, interface, network):
                state.setdefault(f"{_FAMILY}.{interface}", []).append(network)
            else:
                foreign += 1
        return state, foreign


def translated(site: Site) -> list[IPv4Network]:
    """Whose packets are translated: the pool's, and those from private addresses."""
    last = IPv4Address(min(int(site.pool_start) + site.pool_size - 1, 2**32 - 1))
    pool = ipaddress.summarize_address_range(site.pool_start, last)
    return sorted(ipaddress.collapse_addresses([*_PRIVATE, *pool]))


def _rule(device: str, interface: str, network: str) -> list[Expression]:
    address, _, length = network.partition("/")
    source = address if length == "32" else {"prefix": {"addr": address, "len": int(length)}}
    return [match(INPUT, device), match(OUTPUT, interface), match(_SOURCE, source), _MASQUERADE]


def _network(source: object) -> str | None:
    match source:
        case str():
            return f"{source}/32"
        case {"prefix": {"addr": str(address), "len": int(length)}}:
            return f"{address}/{length}"
    return None
