"""Impacts are declared beside the model's fields and nowhere else: no path, no change goes without."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.plan.diff import make_plan
from reconciler.plan.state import split
from reconciler.plan.touch import declared
from reconciler.resources.base import Live, Situation
from reconciler.resources.engine import EngineClient
from reconciler.resources.registry import registry
from reconciler.site import manual
from reconciler.site.declared import on_change
from reconciler.site.impact import OnChange
from reconciler.site.model import Site
from reconciler.site.secrets import SOURCES
from reconciler.site.shape import on_change_at
from reconciler.site.tables import Forwarding
from reconciler.site.user import User
from tests.fakes.kernel import FakeKernel, FakeMemory
from tests.fakes.sites import wanted
from tests.plan.worlds import DEFAULT

DECIDES = {"version", "on_remove", "on_password_change", "age_recipients", "deny_warnings"}
"""Keys that are nothing to be reached: the file's form, and what a change of something else does."""
WITHIN = {f"users.*.{key}" for key in SOURCES if key != "password"}
"""Other ways to give the password, which is one thing to the planner."""
PARTS = {"users.*.rate_limit.down", "users.*.rate_limit.up"}
"""Keys of a table that is one thing to the planner."""


def desired() -> dict[str, object]:
    """All that a site with everything in it wishes."""
    forwarding = {"ip_forward": "true", "proxy_arp": "true", "rp_filter": "strict"}
    wish = wanted(forwarding=forwarding, nat={"masquerade": "eth0"})
    resources = registry(EngineClient(Path("/nonexistent")), FakeKernel(), FakeMemory())
    at = Situation(wish, Live(device="tun0"), 1)
    return {path: value for resource in resources for path, value in resource.desired(at).items()}


def test_a_change_of_something_without_a_class_is_refused() -> None:
    with pytest.raises(KeyError):
        make_plan({"zebra": 1}, {}, {}, (), {}, DEFAULT)
    with pytest.raises(KeyError):
        make_plan({"users.theo": {"speed": 1}}, {"users.theo": {"speed": 2}}, {}, (), {}, DEFAULT)


def test_whatever_can_be_wished_has_the_class_of_its_field() -> None:
    for path, value in desired().items():
        assert isinstance(declared(path), OnChange), path
        for key in _mapping(value):
            assert on_change_at((split(path)[0], "", key)) is on_change(User, key)
    assert declared("forwarding.proxy_arp.eth1") is on_change(Forwarding, "proxy_arp")
    assert declared("users.theo") is on_change(Site, "users")


def test_every_key_of_the_format_can_be_wished() -> None:
    """A key that no resource turns into a wish would be a promise that nobody keeps."""
    wishes = {split(path)[0] for path in desired()} | {"users.*"}
    wishes |= {f"users.*.{key}" for key in _mapping(desired()["users.theo"])}
    for path in manual.paths():
        tables = any(other.startswith(f"{path}.") for other in manual.paths())
        assert path in wishes | DECIDES | WITHIN | PARTS or tables, path


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
