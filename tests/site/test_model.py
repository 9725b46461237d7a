"""The model declares, beside every key, what it is and what changing it costs."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from reconciler.site.declared import Declared, on_change
from reconciler.site.impact import Impact, OnChange, Touch
from reconciler.site.load import load
from reconciler.site.model import Site
from reconciler.site.shape import keys_at, on_change_at
from reconciler.site.tables import LcpEcho
from reconciler.site.user import User
from tests.site.samples import GOOD

KEYS = [(model, key) for model in Declared.__subclasses__() for key in model.model_fields]


def test_a_key_without_an_impact_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Careless\.speed: what does a change of it do to live sessions\?"):
        type("Careless", (Declared,), {"__annotations__": {"speed": int}})


@pytest.mark.parametrize(("model", "key"), KEYS, ids=lambda value: getattr(value, "__name__", value))
def test_every_key_is_described_and_declares_its_impact(model: type[BaseModel], key: str) -> None:
    assert isinstance(on_change(model, key), OnChange)
    description = model.model_fields[key].description
    assert description
    assert description.endswith(".")


@pytest.mark.parametrize(("model", "key"), KEYS, ids=lambda value: getattr(value, "__name__", value))
def test_whatever_touches_sessions_says_which(model: type[BaseModel], key: str) -> None:
    change = on_change(model, key)
    for effect in (change.added, change.changed, change.removed):
        assert (effect.impact is Impact.NONE) == (effect.touches is Touch.NOBODY)
        for policy_impact in (effect.choices or {}).values():
            assert policy_impact is not Impact.NONE


def test_the_site_is_its_own_set_of_policies() -> None:
    site = load(GOOD + "on_remove: drain\n", "site.yaml").site
    removal = on_change(Site, "users").removed
    assert removal.impact is Impact.DROP
    assert removal.under(site) is Impact.LATER


def test_every_policy_names_a_key_and_covers_its_values() -> None:
    for model, key in KEYS:
        for effect in (on_change(model, key).removed, on_change(model, key).changed):
            if effect.policy:
                annotation = Site.model_fields[effect.policy].annotation
                assert set(effect.choices or ()) == set(getattr(annotation, "__args__", ()))


def test_a_setting_is_found_by_its_path() -> None:
    assert on_change_at(("lcp_echo", "interval")) is on_change(LcpEcho, "interval")
    assert on_change_at(("users", "theo", "ip")) is on_change(User, "ip")
    assert on_change_at(("users",)) is on_change(Site, "users")
    for nowhere in ((), ("zebra",), ("mtu", "x"), ("users", "theo", "zebra")):
        with pytest.raises(KeyError):
            on_change_at(nowhere)


def test_keys_are_known_by_their_path() -> None:
    assert keys_at(("forwarding",)) == ("ip_forward", "proxy_arp", "rp_filter")
    assert keys_at(("users",)) == ()
    assert keys_at(("users", "theo", "ip", 3)) == ()


def test_a_site_cannot_be_changed() -> None:
    site = load(GOOD, "site.yaml").site
    assert site is not None
    with pytest.raises(ValidationError):
        site.mtu = 1400  # type: ignore[misc]


def test_an_error_of_the_model_does_not_repeat_its_input() -> None:
    with pytest.raises(ValidationError) as raised:
        User.model_validate({"password": "hunter2" * 100, "sessions": "hunter2"})
    assert "hunter2" not in str(raised.value)
