"""Taking over from an engine that is gone: its settings, its users, its sessions, as the journal has them.

Runs before a single frame is answered. Every session that comes back is asked by an LCP echo whether it is
really there; what cannot come back is told to dial again when it next says something. Neighbours:
``__main__`` calls it; ``journal`` holds the values. It must not know sockets or SQL.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.engine.access import memo
from reconciler.engine.access.concentrator import Concentrator
from reconciler.engine.access.config import Config
from reconciler.engine.chronicle import TERMS
from reconciler.engine.datapath.base import PathError
from reconciler.linux import interface

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.engine.access.config import User
    from reconciler.engine.access.effects import Effect
    from reconciler.engine.host import Host
    from reconciler.engine.journal import Journal
    from reconciler.engine.messages import UserEntry

SPREAD = 2000.0
"""Sessions asked per second after a restart, so that their answers do not come all at once."""

log = logging.getLogger("reconciler.engine")

_BROKEN = (KeyError, TypeError, ValueError, AttributeError)


class Legacy(NamedTuple):
    """What the journal holds, by table and name, and the settings that its sessions were begun under."""

    contents: dict[str, dict[str, Any]]
    terms: dict[str, Config]


def read(journal: Journal) -> Legacy:
    """Read the journal; settings that no session holds to any more are forgotten."""
    contents = journal.load()
    held = {record.get("terms") for record in contents["sessions"].values() if isinstance(record, dict)}
    terms: dict[str, Config] = {}
    for name, settings in contents["facts"].items():
        if not name.startswith(TERMS):
            continue
        if name in held:
            terms[name] = Config().merged(settings)
        else:
            journal.remove("facts", name)
    return Legacy(contents, terms)


def concentrator(legacy: Legacy, journal: Journal, entropy: Callable[[int], bytes]) -> Concentrator:
    """A concentrator under whose secret the cookies of the one before it are still good."""
    kept = legacy.contents["facts"].get("secret")
    secret = bytes.fromhex(kept) if isinstance(kept, str) else entropy(32)
    journal.put("facts", "secret", secret.hex())
    return Concentrator(entropy, secret)


def restore(host: Host, legacy: Legacy, parse_user: Callable[[UserEntry], User]) -> None:
    """Put everything back as it was, as far as the machine still allows."""
    facts, now = legacy.contents["facts"], monotonic()
    generation = int(facts.get("generation", 0))
    if "settings" in facts:
        config = Config().merged(facts["settings"])
        host.concentrator.configure(_kept_to(host, config), generation)
    users = [parse_user(entry) for entry in legacy.contents["users"].values()]
    host.concentrator.change_users(users, (), generation, now)
    for name, identity in legacy.contents["interfaces"].items():
        _serve(host, name, identity, generation)
    sessions = legacy.contents["sessions"]
    resumed = [_resume(host, legacy, name, now + n / SPREAD) for n, name in enumerate(sessions)]
    host.perform([effect for effects in resumed if effects for effect in effects], kept=True)
    if "draining" in facts:
        host.concentrator.drain(float(facts["draining"]), now)
    if sessions:
        back = sum(effects is not None for effects in resumed)
        log.info("%d of %d sessions go on", back, len(sessions))


def _kept_to(host: Host, config: Config) -> Config:
    """The settings, but for what another data path than the one before cannot do."""
    host.datapath.accept(config.mtu)
    try:
        host.datapath.restrict(config.access_only)
    except PathError as error:
        log.warning("access_only is not in force: %s", error)
        return config.merged({"access_only": False})
    return config


def _serve(host: Host, name: str, identity: list[Any], generation: int) -> None:
    """Serve the interface again, if it is still the same one: else its sessions are over."""
    try:
        here = interface.read(name)
        if [here.ifindex, here.mac.hex()] == identity:
            host.listen(name, generation)
            return
        why = "it is not the one that was served"
    except (OSError, PathError) as error:
        why = str(error)
    log.warning("the sessions on interface %s are over: %s", name, why)
    host.chronicle.not_served(name)


def _resume(host: Host, legacy: Legacy, name: str, ask_at: float) -> list[Effect] | None:
    """What it takes to go on with a session; None if that cannot be."""
    record = legacy.contents["sessions"][name]
    try:
        recalled = memo.read(record)
        effects = host.concentrator.resume(recalled, legacy.terms[record["terms"]], ask_at)
    except _BROKEN as error:
        log.warning("session %s cannot be understood (%s) and is over", name, type(error).__name__)
        effects = None
    if effects is None:
        host.chronicle.forget(name)
    return effects
