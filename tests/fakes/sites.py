"""Sites for tests, as the loop hands them to the resources."""

from __future__ import annotations

from typing import Any

from reconciler.resources.base import Live, Situation, Wanted
from reconciler.resources.engine import EngineClient
from reconciler.site.model import Site
from reconciler.site.secrets import fingerprint, resolve

KEY = b"only for tests"


def wanted(users: dict[str, Any] | None = None, **keys: Any) -> Wanted:
    """A site of two users on eth1, with the given keys instead of or beside its own."""
    site = Site.model_validate(
        {
            "version": "1",
            "interface": "eth1",
            "local_ip": "10.0.0.1",
            "pool_start": "10.0.0.8",
            "pool_size": "8",
            "users": users or {"theo": "one", "pablo": {"password": "two", "ip": "10.0.1.9"}},
            **keys,
        }
    )
    secrets = resolve(site, read_file=_no_file, getenv=lambda _: None).secrets
    prints = {name: fingerprint(KEY, known) for name, known in secrets.items()}
    return Wanted(site, secrets, prints, hostname="box")


def _no_file(path: str) -> bytes:
    raise FileNotFoundError(path)


def situation(wish: Wanted, engine: EngineClient | None = None, generation: int = 1) -> Situation:
    """The situation as one look at the engine shows it."""
    if engine is None:
        return Situation(wish, Live(), generation)
    return Situation(wish, Live(engine.observe(), engine.hello()["device"]), generation)
