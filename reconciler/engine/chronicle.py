"""What goes into the journal: settings, users, interfaces and the sessions that carry packets.

Neighbours: ``host`` and ``commands`` tell what changes, ``restore`` reads it back. It must not know SQLite,
nor decide what becomes of anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.engine.access import memo

if TYPE_CHECKING:
    from reconciler.engine.access.concentrator import Concentrator
    from reconciler.engine.access.config import Config
    from reconciler.engine.access.effects import Key
    from reconciler.engine.access.session import Session
    from reconciler.engine.journal import Journal
    from reconciler.engine.messages import RemovedUser, UserEntry
    from reconciler.linux.interface import Interface

TERMS = "terms."
"""Facts of this name and a number are settings that sessions were begun under."""


class Chronicle:
    """Keeps ``journal`` equal to what the engine would need after a restart."""

    def __init__(self, journal: Journal, terms: dict[str, Config]) -> None:
        """``terms``: settings of earlier sessions that are in the journal already, by their facts' names."""
        self._journal = journal
        self._terms = {id(config): (config, name) for name, config in terms.items()}
        self._count = max((int(name.removeprefix(TERMS)) for name in terms), default=0)

    def settings(self, concentrator: Concentrator) -> None:
        """The settings for new sessions, or the generation, have changed."""
        self._journal.put("facts", "settings", dict(concentrator.config.settings()))
        self._journal.put("facts", "generation", concentrator.generation)

    def draining(self, rate: float | None) -> None:
        """Sessions are being ended, so many a second, and nobody is admitted; None: no more."""
        if rate is None:
            self._journal.remove("facts", "draining")
        else:
            self._journal.put("facts", "draining", rate)

    def users(self, put: list[UserEntry], remove: list[RemovedUser]) -> None:
        """Users have come, changed, or gone."""
        for removed in remove:
            self._journal.remove("users", removed["name"])
        for entry in put:
            self._journal.put("users", entry["name"], dict(entry))

    def served(self, interface: Interface) -> None:
        """An interface is being served."""
        self._journal.put("interfaces", interface.name, [interface.ifindex, interface.mac.hex()])

    def not_served(self, name: str) -> None:
        """An interface is served no more."""
        self._journal.remove("interfaces", name)

    def session(self, session: Session | None) -> None:
        """A session has begun to carry packets."""
        written = None if session is None else memo.of(session)
        if session is not None and written is not None:
            written["terms"] = self._terms_of(session.config)
            self._journal.put("sessions", memo.name(session.key), written)

    def no_session(self, key: Key) -> None:
        """A session carries packets no more."""
        self.forget(memo.name(key))

    def forget(self, name: str) -> None:
        """The session of this name among memos is over."""
        self._journal.remove("sessions", name)

    def commit(self) -> None:
        """From here on it is as told, whatever happens to this process."""
        self._journal.commit()

    @property
    def trouble(self) -> str:
        """Why a restart would lose something; empty: it would not."""
        return self._journal.trouble

    def retry(self) -> None:
        """Write down what could not be written before."""
        self._journal.retry()

    def end(self) -> None:
        """There is nothing to go on with: everything was brought to its end."""
        self._journal.discard()

    def _terms_of(self, config: Config) -> str:
        known = self._terms.get(id(config))
        if known is None:
            self._count += 1
            known = self._terms[id(config)] = (config, f"{TERMS}{self._count}")
            self._journal.put("facts", known[1], dict(config.settings()))
        return known[1]
