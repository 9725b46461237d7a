"""Edits that lead to the same file lead to the same machine, in whatever order they come."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.site.load import load
from tests.loop.declarations import ENVIRONMENT, Declared, declarations, text
from tests.loop.live import LiveWorld


def reached(steps: list[Declared]) -> dict[str, Any]:
    """What there is after these sites, one after the other."""
    with tempfile.TemporaryDirectory(prefix="rc-") as directory, pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        world = LiveWorld(Path(directory))
        try:
            for site in steps:
                world.edit(text(site))
                _, verdict = world.preview()
                if verdict.held:
                    report = world.step()
                    assert report.held is not None
                    assert world.reconciler.release(report.held.plan.id)
                world.settle()
            seen = world.supervisor.client.observe()
            users = {name: {**user, "fingerprint": ""} for name, user in seen["users"].items()}
            return {
                "users": users,
                "settings": seen["settings"],
                "listeners": set(seen["listeners"]),
                "routes": world.kernel.routes,
                "addresses": world.kernel.addresses,
                "switches": world.kernel.values,
            }
        finally:
            world.close()


def one_by_one(first: Declared, last: Declared, order: list[str]) -> list[Declared]:
    """The sites on the way, each with one key more as it is in the last; without those that are in error."""
    site, way = dict(first), [first]
    for key in order:
        if key in last:
            site = {**site, key: last[key]}
        else:
            site = {other: value for other, value in site.items() if other != key}
        if load(text(site).encode(), "site.yaml").site is not None:
            way.append(site)
    return way


@given(first=declarations(), last=declarations(), data=st.data())
@settings(max_examples=12)
def test_the_order_of_edits_is_irrelevant(first: Declared, last: Declared, data: st.DataObject) -> None:
    keys = sorted(first.keys() | last.keys())
    order = data.draw(st.permutations(keys))
    assert reached(one_by_one(first, last, order)) == reached([first, last])
