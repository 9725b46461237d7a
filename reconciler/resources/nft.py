"""What resources that are rules of nftables have in common: each has a table of its own, and nothing else.

The table's name has our mark and the device's: ``reconciler-pppoe0-nat``. What is in it is read back rule by
rule; what we cannot have written there is not as it should be, and goes when the table is next put in place.
Nobody else's table is ever touched. Tables that we made are remembered before they are made, so that they
can be taken away when the device has another name, or is gone.
"""

from __future__ import annotations

import errno
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from reconciler.linux.errors import KernelError
from reconciler.linux.nftables import Object
from reconciler.plan.change import Change, updated
from reconciler.plan.state import State, Value
from reconciler.resources.base import Failure, Outcome, Situation, name_in
from reconciler.resources.kept import Facts
from reconciler.resources.kernel import Kernel

Expression = Mapping[str, Any]
Rule = Sequence[Expression]
"""A rule's expressions: what it matches, and what it then does."""

TABLE = "kernel.nft"
"""Family of the tables that should not be there, or not with what is in them."""

_REASONS = {errno.ENOPKG: "NftablesMissing", errno.EOPNOTSUPP: "NftablesUnsupported"}


class Rules(ABC):
    """A table with one chain."""

    subjects: frozenset[str]
    kind: str
    """Last part of the table's name."""
    chain: ClassVar[Mapping[str, Any]]
    """As nftables lists it."""

    def __init__(self, kernel: Kernel, facts: Facts) -> None:
        self._kernel = kernel
        self._facts = facts

    @abstractmethod
    def declared(self, at: Situation) -> State:
        """What the site wants."""

    @abstractmethod
    def rules(self, state: State, device: str) -> list[Rule]:
        """The rules that make ``state`` so."""

    @abstractmethod
    def seen(self, rules: Sequence[Rule], device: str) -> tuple[State, int]:
        """The state that ``rules`` make so, and how many of them have no part in that."""

    def desired(self, at: Situation) -> State:
        # A data path without a device carries nothing that a rule could match.
        return {} if at.live.engine is not None and at.live.device is None else self.declared(at)

    def observe(self, at: Situation) -> State:
        current = self._name(at.live.device)
        state: dict[str, Value] = {}
        for table in {*self._made(), *([current] if current else [])}:
            objects = self._kernel.table(table)
            if objects is None:
                continue
            seen, foreign = self._read(objects, at.live.device or "") if table == current else ({}, 1)
            state.update(seen)
            if foreign:
                state[self._path(table)] = {}
        return state

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:
        """Put the table in place as it is with ``changes`` done; what is not among them stays."""
        current = self._name(at.live.device)
        wanted = updated(self.observe(at), changes)
        state = {path: value for path, value in wanted.items() if not _is_table(path)}
        try:
            for change in changes:
                table = name_in(change.path)
                if _is_table(change.path) and table != current:
                    self._remove(table)
            if current:
                self._put(current, state, at.live.device or "")
        except KernelError as error:
            reason = _REASONS.get(error.errno or 0, "NftablesFailed")
            return Outcome(tuple(Failure(change.path, reason, str(error)) for change in changes))
        return Outcome()

    def release(self) -> tuple[Failure, ...]:
        """Remove every table that we made."""
        failures: list[Failure] = []
        for table in self._made():
            try:
                self._remove(table)
            except KernelError as error:
                failures.append(Failure(self._path(table), "NftablesFailed", str(error)))
        return tuple(failures)

    def _put(self, table: str, state: State, device: str) -> None:
        if not state:
            self._remove(table)
            return
        self._remember({*self._made(), table})
        chain = {"chain": self.chain}
        rules = [
            {"rule": {"chain": self.chain["name"], "expr": list(rule)}} for rule in self.rules(state, device)
        ]
        self._kernel.put_table(table, [chain, *rules])

    def _remove(self, table: str) -> None:
        if self._kernel.table(table) is not None:
            self._kernel.remove_table(table)
        self._remember(set(self._made()) - {table})

    def _read(self, objects: Sequence[Object], device: str) -> tuple[State, int]:
        """What a table of ours makes so, and how much in it is foreign."""
        chain = objects[0].get("chain", {}) if objects else {}
        if not self.chain.items() <= chain.items():  # a later nft may have more to say of it
            return {}, 1
        rules = [one["rule"]["expr"] for one in objects if "rule" in one]
        state, foreign = self.seen(rules, device)
        return state, foreign + len(objects) - 1 - len(rules)

    def _path(self, table: str) -> str:
        return f"{TABLE}.{self.kind}.{table}"

    def _name(self, device: str | None) -> str | None:
        return f"reconciler-{device}-{self.kind}" if device else None

    def _made(self) -> list[str]:
        made: list[str] = json.loads(self._facts.fact(f"nft.{self.kind}") or "[]")
        return made

    def _remember(self, tables: set[str]) -> None:
        if tables != set(self._made()):
            self._facts.set_fact(f"nft.{self.kind}", json.dumps(sorted(tables)))


def _is_table(path: str) -> bool:
    return path.startswith(f"{TABLE}.")


def match(what: Expression, value: object, op: str = "==") -> Expression:
    """Goes on when ``what`` of the packet is ``value``."""
    return {"match": {"op": op, "left": what, "right": value}}


def matched(rule: Rule, what: Expression) -> object:
    """The value that a rule wants ``what`` of the packet to have; None when it does not ask."""
    for one in rule:
        told = one.get("match")
        if told is not None and told["left"] == what and told["op"] in {"==", "in"}:
            return told["right"]
    return None


INPUT: Expression = {"meta": {"key": "iifname"}}
OUTPUT: Expression = {"meta": {"key": "oifname"}}
