"""From a file to a goal: what is wanted, complete with passwords, or why the file says nothing that can be
used.

Joins ``reading.source``, which reads, with ``site``, which understands. A file that has not changed is not
parsed again. It must not know what is running.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from reconciler.differing import difference
from reconciler.loop.reading import source
from reconciler.loop.reading.passwords import Passwords
from reconciler.loop.reading.source import Reading, UnreadableError
from reconciler.loop.reading.unseal import Unsealer
from reconciler.resources.base import Wanted
from reconciler.site import report
from reconciler.site.diagnostic import Diagnostic, has_errors, in_order
from reconciler.site.load import Loaded, Loader, load
from reconciler.site.model import Site
from reconciler.site.place import Path as Where
from reconciler.site.place import Place
from reconciler.site.secrets import Resolved, UserSecret, fingerprint
from reconciler.site.source import Source
from reconciler.site.user import User


@dataclass(frozen=True, slots=True)
class Goal:
    """What a file said at one moment. ``wanted`` is None when it cannot be used, and ``problem`` says why
    in one line, ``text`` in full, ``reason`` in one word. ``files`` are all those it was made from.
    ``unfinished``: it is still being written.
    """

    path: Path
    sha256: str | None
    wanted: Wanted | None
    places: Mapping[Where, Place]
    files: frozenset[Path]
    findings: tuple[Diagnostic, ...] = ()
    problem: str = ""
    reason: str = "Findings"
    source: Source | None = None
    unfinished: bool = False
    content: bytes = field(default=b"", repr=False)

    @property
    def text(self) -> str:
        """All findings, with the lines that they are about."""
        return report.as_text(self.findings, self.source) if self.source else ""


class Held(NamedTuple):
    """The users as they were declared, by name, and what was made of them. What somebody's password is may
    have changed all the same, if it stands ``elsewhere``.
    """

    users: Mapping[str, User]
    secrets: Mapping[str, UserSecret]
    prints: Mapping[str, str]
    elsewhere: frozenset[str]


class Reader:
    """Reads goals. ``key`` is for the passwords' fingerprints; ``hostname`` stands in for an AC name."""

    def __init__(
        self,
        key: bytes,
        hostname: str,
        unsealer: Unsealer | None = None,
        getenv: Callable[[str], str | None] = os.environ.get,
    ) -> None:
        self._key = key
        self._hostname = hostname
        self._passwords = Passwords(getenv, unsealer or Unsealer())
        self._last: Goal | None = None
        self._loader = Loader()
        self._held = Held({}, {}, {}, frozenset())

    def look(self, path: Path) -> Goal:
        """The goal as the file now says it. Never raises: what is wrong is in the goal."""
        try:
            reading = source.read(path)
        except UnreadableError as error:
            nowhere: Mapping[Where, Place] = MappingProxyType({})
            files = frozenset({path})
            return Goal(path, None, None, nowhere, files, problem=str(error), reason=error.reason)
        if self._last and self._same(self._last, path, reading):
            return self._last
        goal = self.understand(reading.text, path, reading.sha256, unfinished=reading.unfinished)
        self._last = goal
        return goal

    def understand(
        self, text: bytes, path: Path, sha256: str | None = None, *, unfinished: bool = False
    ) -> Goal:
        """The goal that ``text`` declares, as if it stood at ``path``."""
        loaded = self._loader.load(text, path.name)
        files, resolved = {path}, None
        if loaded.site is not None:
            known, again = self._known(loaded.site)
            resolved, more = self._passwords.of(loaded.site, path.parent, loaded.places, known, again)
            files |= more
        goal = self._goal(text, path, loaded, resolved)
        if goal.wanted is not None:
            self._keep(goal.wanted)
        return replace(goal, sha256=sha256, files=frozenset(files), unfinished=unfinished)

    def recall(self, text: bytes, path: Path, secrets: Mapping[str, UserSecret]) -> Goal:
        """The goal that ``text`` was when those of its users whose passwords are elsewhere had these
        ``secrets``, whatever they have now.
        """
        loaded, resolved = load(text, path.name), None
        if loaded.site is not None:
            resolved, _ = self._passwords.of(loaded.site, path.parent, loaded.places, secrets)
        goal = self._goal(text, path, loaded, resolved)
        return replace(goal, sha256=hashlib.sha256(text).hexdigest())

    def _goal(self, text: bytes, path: Path, loaded: Loaded, resolved: Resolved | None) -> Goal:
        findings, wanted = loaded.findings, None
        if loaded.site is not None and resolved is not None:
            findings = in_order([*findings, *resolved.findings])
            if not has_errors(resolved.findings):
                prints = self._prints(resolved.secrets)
                wanted = Wanted(loaded.site, resolved.secrets, prints, self._hostname)
        return Goal(
            path=path,
            sha256=None,
            wanted=wanted,
            places=loaded.places,
            files=frozenset({path}),
            findings=findings,
            problem="" if wanted else _headline(findings, loaded),
            source=loaded.source,
            content=text,
        )

    def _known(self, site: Site) -> tuple[dict[str, UserSecret], set[str]]:
        """The secrets of the last look, and the users whose declaration is another since, or refers to
        something else.
        """
        held = self._held
        known = dict(held.secrets)
        new, gone = difference(held.users, site.users)
        for name in gone:
            del known[name]
        return known, {*new, *held.elsewhere} & known.keys()

    def _prints(self, secrets: Mapping[str, UserSecret]) -> dict[str, str]:
        held = self._held
        prints = dict(held.prints)
        new, gone = difference(held.secrets, secrets)
        for name in gone:
            del prints[name]
        prints.update((name, fingerprint(self._key, secrets[name])) for name in new)
        return prints

    def _keep(self, wanted: Wanted) -> None:
        users, held = wanted.site.users, self._held
        new, gone = difference(held.users, users)
        elsewhere = held.elsewhere.difference(new, gone)
        elsewhere = elsewhere.union(name for name in new if _is_elsewhere(users[name]))
        self._held = Held(users, wanted.secrets, wanted.fingerprints, elsewhere)

    def _same(self, last: Goal, path: Path, reading: Reading) -> bool:
        # A goal with files of passwords or keys is made anew each time: they may have changed.
        return (
            last.path == path
            and last.sha256 == reading.sha256
            and last.unfinished == reading.unfinished
            and len(last.files) == 1
        )


def _is_elsewhere(user: User) -> bool:
    return user.password_file is not None or user.password_env is not None


def _headline(findings: tuple[Diagnostic, ...], loaded: Loaded) -> str:
    """The first error in one line, with its place, and how many more there are."""
    errors = [finding for finding in findings if finding.severity == "error"]
    first = errors[0]
    place = f":{first.place.line}:{first.place.column}" if first.place else ""
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    advice = f" ({first.help})" if first.help else ""
    return f"{loaded.source.name}{place}: {first.message}{advice}{more}"
