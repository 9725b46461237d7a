"""``clamp_mss``: no TCP connection of a subscriber sends larger segments than the way takes.

Both ends tell in their SYN how large a segment they take (RFC 9293 §3.7.1). That is lowered, in both
directions, to what the path's MTU leaves (RFC 4459 §3.2) and to what a session leaves: some networks lose the
ICMP message that would tell otherwise. nftables never raises it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from reconciler.plan.state import State
from reconciler.resources.base import Situation
from reconciler.resources.nft import INPUT, OUTPUT, Expression, Rule, Rules, match

_PATH = "clamp_mss"
HEADERS = 40
"""Octets of the IPv4 and the TCP header without options, which are not part of a segment's size."""

_FLAGS: Expression = {"payload": {"protocol": "tcp", "field": "flags"}}
_SIZE: Expression = {"tcp option": {"name": "maxseg", "field": "size"}}
_OF_THE_WAY: Expression = {"rt": {"key": "mtu"}}


class Clamp(Rules):
    kind = "mss"
    subjects = frozenset({_PATH, "kernel.nft.mss"})
    chain: ClassVar = {
        "name": "forward",
        "type": "filter",
        "hook": "forward",
        "prio": -150,
        "policy": "accept",
    }

    def declared(self, at: Situation) -> State:
        wish = at.wanted.site.clamp_mss
        # Unless it is asked for, a machine that cannot do it is not blocked by it: the advice says so.
        able = wish or at.live.engine is None or not self._kernel.no_tables()
        return {_PATH: at.wanted.site.mtu - HEADERS} if wish is not False and able else {}

    def rules(self, state: State, device: str) -> list[Rule]:
        size = state.get(_PATH)
        return _rules(device, size) if isinstance(size, int) else []

    def seen(self, rules: Sequence[Rule], device: str) -> tuple[State, int]:
        sizes = {_size(rule) for rule in rules} - {None}
        size = sizes.pop() if len(sizes) == 1 else None
        if size is not None and [*map(_plain, rules)] == [*map(_plain, _rules(device, size))]:
            return {_PATH: size}, 0
        return ({_PATH: "altered"} if rules else {}), 0


def _rules(device: str, size: int) -> list[Rule]:
    return [
        [match(side, device), match(_FLAGS, "syn", "in"), {"mangle": {"key": _SIZE, "value": value}}]
        for side in (INPUT, OUTPUT)
        for value in (_OF_THE_WAY, size)
    ]


def _size(rule: Rule) -> int | None:
    value = rule[-1].get("mangle", {}).get("value") if rule else None
    return value if isinstance(value, int) else None


def _plain(rule: Rule) -> list[object]:
    """The rule in words that do not depend on how a version of nft writes down a match of TCP's flags."""
    flags = _written(_FLAGS)
    return ["syn" if flags in _written(one) and "syn" in _written(one) else one for one in rule]


def _written(expression: Expression) -> str:
    return json.dumps(expression, sort_keys=True)
