"""Sites for the loop's state machines: every key of the format, with a few values each, as plain data.

A site is a mapping as it stands in the file; ``text`` writes it down, ``explicit`` writes down as well what
goes without saying.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from reconciler.site.load import load
from tests.peer_mschap import nt_hash

Declared = dict[str, Any]

NAMES = ("ann", "bob", "cyd", "dan")
ENVIRONMENT = {"PASSWORD_P": "p", "PASSWORD_Q": "q"}
REQUIRED = ("version", "interface", "local_ip", "pool_start", "users")
VALUES: Mapping[str, tuple[Any, ...]] = {
    "version": (1,),
    "interface": ("eth1", ["eth2"], ["eth1", "eth2"], ["eth2", "eth1"]),
    "ac_name": ("SERVER", "OTHER"),
    "local_ip": ("10.0.0.1", "10.0.0.2"),
    "pool_start": ("10.0.0.8", "10.0.0.10", "10.0.0.16"),
    "pool_size": (3, 8, 20),
    "dns_servers": ([], ["8.8.8.8"], ["8.8.8.8", "8.8.4.4"]),
    "wins_servers": ([], ["10.0.0.5"]),
    "forwarding.ip_forward": (True, False),
    "forwarding.proxy_arp": (True, False),
    "forwarding.rp_filter": ("off", "strict", "loose"),
    "access_only": (False,),
    "clamp_mss": (False, True),
    "nat.masquerade": ("eth9",),
    "self_heal.forwarding": ("on",),
    "self_heal.addresses": ("on",),
    "self_heal.routes": ("on",),
    "self_heal.links": ("on",),
    "self_heal.nft": ("on",),
    "session_timeout": (0, 86_400),
    "idle_timeout": (0, 3600),
    "deny_warnings": ([],),
    "age_recipients": ([],),
    "auth": (["mschapv2", "chap", "pap"], ["pap"], ["pap", "mschapv2"]),
    "service_names": ([], ["internet"]),
    "mtu": (1492, 1400),
    "lcp_echo.interval": (30, 0, 10),
    "lcp_echo.failures": (3, 5),
    "limits.padi_per_mac": (10, 0),
    "limits.padi_total": (2000, 0),
    "limits.half_open": (4000, 0),
    "limits.failed_logins": (5, 0),
    "limits.lockout": (60, 5),
    "guard.max_users_removed": ("20%", "0", "100%"),
    "guard.max_sessions_dropped": ("20%", "0", "100%"),
    "second_login": ("replace", "refuse"),
    "on_remove": ("terminate", "drain"),
    "on_password_change": ("keep", "terminate"),
    "users.*.password": ("p", "q"),
    "users.*.password_env": tuple(ENVIRONMENT),
    "users.*.nt_hash": (nt_hash(b"p").hex(), nt_hash(b"q").hex()),
    "users.*.ip": ("10.0.0.9", "10.0.1.1", "10.0.1.2"),
    "users.*.enabled": (True, False),
    "users.*.sessions": (1, 2, 3),
    "users.*.rate_limit.down": ("50M", "10M"),
    "users.*.rate_limit.up": ("5M",),
}
SAME_TO_THE_PLANNER = ("users.*.password_file", "users.*.password_hash", "users.*.password_age")
"""Other ways to give what `users.*.password` gives."""
SECRETS = ("password", "password_env", "nt_hash")


@st.composite
def users(draw: st.DrawFn) -> Declared:
    """One user's settings."""
    way = draw(st.sampled_from(SECRETS))
    others = ["ip", "enabled", "sessions", "rate_limit.down", "rate_limit.up"]
    user: Declared = {}
    for key in (way, *draw(st.lists(st.sampled_from(others), unique=True))):
        put(user, key, draw(st.sampled_from(VALUES[f"users.*.{key}"])))
    return user


@st.composite
def declarations(draw: st.DrawFn) -> Declared:
    """A site that can be used."""
    site: Declared = {}
    optional = [key for key in VALUES if not key.startswith("users.") and key not in REQUIRED]
    chosen = draw(st.lists(st.sampled_from(optional), unique=True, max_size=8))
    for path in (*REQUIRED[:-1], *chosen):
        put(site, path, draw(st.sampled_from(VALUES[path])))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    site["users"] = {name: draw(users()) for name in names}
    taken = {local_ip := site["local_ip"]}
    for user in site["users"].values():
        if user.get("ip") in taken:
            del user["ip"]
        taken.add(user.get("ip", local_ip))
    return site


def text(site: Declared) -> str:
    """The file."""
    return json.dumps(site, indent=1) + "\n"


def explicit(site: Declared) -> Declared:
    """The same site with every default written out."""
    loaded = load(text(site).encode(), "site.yaml").site
    assert loaded is not None
    return _written(loaded, site)


def shuffled(site: Declared, chance: Random) -> Declared:
    """The same site with its keys, and its users, in another order."""
    keys = chance.sample(sorted(site), len(site))
    return {key: shuffled(site[key], chance) if isinstance(site[key], dict) else site[key] for key in keys}


def _written(model: BaseModel, given: Mapping[str, Any]) -> Declared:
    found: Declared = dict(given)
    for key in type(model).model_fields:
        value, here = getattr(model, key), given.get(key)
        if isinstance(value, BaseModel):
            found[key] = _written(value, here or {})
        elif isinstance(value, Mapping):
            found[key] = {name: _written(each, here[name]) for name, each in value.items() if here}
        elif value is not None and key not in given:
            found[key] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int) else str(value)


def put(site: Declared, path: str, value: Any) -> None:
    """Declare one thing more; ``path`` is a key, or a key within a table."""
    table, _, key = path.rpartition(".")
    (site.setdefault(table, {}) if table else site)[key] = value
