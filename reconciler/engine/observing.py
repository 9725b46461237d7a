"""What the engine shows of many things at once, a slice at a time, so that no subscriber waits for it.

A generator here gives back its answer at the end; whatever it yields on the way is a part of the answer, or
None, and after each the loop serves whoever has something to say. Sessions and users may come and go between
two slices: each is shown as it is when its turn comes, and what changes after the mark is told next time.
Neighbours: ``commands`` and ``service``; ``views`` shows the single things. It must not change anything.
"""

from __future__ import annotations

import os
from collections import Counter
from operator import add
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias, TypeVar, get_args

from reconciler.engine import views
from reconciler.engine.datapath.base import Counters
from reconciler.engine.messages import SessionState

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from reconciler.engine.access.effects import Key
    from reconciler.engine.access.session import Session
    from reconciler.engine.host import Host
    from reconciler.engine.messages import Counts, Mark, Overview, Part, UserView

    T = TypeVar("T")
    Slices: TypeAlias = Generator[Part | None, None, T]

SLICE = 100
"""Things shown at a time: about a millisecond."""

_NOTHING = Counters()
_NAME = os.urandom(8).hex()
"""This process among all engines: what another one counted says nothing here."""


def observation(host: Host, since: Mark | None, *, traffic: bool) -> Slices[Overview]:
    """Everything the engine is set to and everything it is doing, or what of it has changed ``since``."""
    concentrator = host.concentrator
    mark: Mark = {
        "engine": _NAME,
        "users": concentrator.users.changes.count,
        "sessions": concentrator.changes.count,
    }
    known = since if since is not None and since["engine"] == _NAME else None
    names = None if known is None else concentrator.users.changes.since(known["users"])
    keys = None if known is None else concentrator.changes.since(known["sessions"])
    whole = names is None or keys is None
    if names is None or keys is None:
        names = [user.name for user in concentrator.users]
        keys = [session.key for session in concentrator]
    for some in _slices(names):
        yield {"users": {views.decode(name): _user(host, name) for name in some}, "sessions": [], "gone": []}
    counters: Mapping[Key, Counters] = host.datapath.counters() if traffic and keys else {}
    for chosen in _slices(keys):
        yield _sessions(host, chosen, counters)
    return {
        "generation": concentrator.generation,
        "settings": concentrator.config.settings(),
        "listeners": {name: views.listener_view(port.interface) for name, port in host.ports.items()},
        "drops": _drops(host),
        "draining": host.concentrator.draining,
        "journal_trouble": host.chronicle.trouble,
        "mark": mark,
        "whole": whole,
        "time": views.unix_time(monotonic()),
    }


def counts(host: Host) -> Slices[Counts]:
    """How many sessions there are, and what happened since the start; of nobody in particular."""
    states, live = dict.fromkeys(get_args(SessionState), 0), Counter[str]()
    stale = 0
    for some in _slices(list(host.concentrator)):
        for session in some:
            states[session.state] += 1
            if session.ending is None:
                live[session.key.interface] += 1
                stale += host.concentrator.stale(session)
        yield None
    traffic = host.datapath.traffic()
    return {
        "sessions": states,
        "stale": stale,
        "drops": _drops(host),
        "logins": host.counts.login_views(),
        "closed": dict(host.counts.closed),
        "failed": dict(host.counts.failed),
        "setup": host.counts.setup.view(),
        "interfaces": {
            name: views.interface_counts(port.interface.up, live[name], traffic.get(name, _NOTHING))
            for name, port in host.ports.items()
        },
    }


def _drops(host: Host) -> dict[str, int]:
    both = host.drops + Counter(host.datapath.drops())
    return {str(reason): count for reason, count in both.items()}


def _user(host: Host, name: bytes) -> UserView | None:
    user = host.concentrator.users.get(name)
    return None if user is None else views.user_view(user)


def _sessions(host: Host, keys: Sequence[Key], counters: Mapping[Key, Counters]) -> Part:
    now = monotonic()
    found: list[tuple[Key, Session | None]] = [(key, host.concentrator.get(key)) for key in keys]
    return {
        "users": {},
        "sessions": [
            views.session_view(session, _carried(host, key, counters), host.concentrator.stale(session), now)
            for key, session in found
            if session is not None
        ],
        "gone": [
            views.gone_view(key, host.concentrator.why_ended(key))
            for key, session in found
            if session is None
        ],
    }


def _carried(host: Host, key: Key, counters: Mapping[Key, Counters]) -> Counters:
    return Counters(*map(add, counters.get(key, _NOTHING), host.past(key)))


def _slices(things: list[T]) -> Iterator[list[T]]:
    return (things[start : start + SLICE] for start in range(0, len(things), SLICE))
