"""What the cross-checks want to know of each user: read once, good for as long as its lines stay the same.

Neighbours: ``site.checks`` and ``site.logins`` judge, ``site.increment`` keeps. Values that cannot be read
are None here: the model reports them. This module must not hold a rule, nor a secret.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from reconciler.site import values
from reconciler.site.place import Place
from reconciler.site.secrets import SOURCES
from reconciler.site.tree import Node, Scalar, Table
from reconciler.site.user import User

T = TypeVar("T")


class At(NamedTuple):
    """An IPv4 address, as a number, and where it is given."""

    number: int
    place: Place


class UserFacts(NamedTuple):
    """One user. Places are those of the text it was read from; ``below`` says how many lines further down it
    now stands. ``secrets`` are the keys that give one, None for a user written as just a password.
    """

    name: str
    key: Place
    fixed: At | None
    sessions: int
    enabled: bool
    secrets: tuple[Scalar, ...] | None
    below: int = 0

    @property
    def ip(self) -> At | None:
        """The fixed address, where it stands now."""
        if self.fixed is None or not self.below:
            return self.fixed
        return At(self.fixed.number, self.fixed.place.moved(self.below))

    def further(self, lines: int) -> UserFacts:
        """The same, so many lines further down."""
        # Named one by one: half of 100,000 users move by an edit, and _replace() takes three times as long.
        return UserFacts(
            self.name, self.key, self.fixed, self.sessions, self.enabled, self.secrets, self.below + lines
        )

    def where(self, place: Place) -> Place:
        """A place of these facts, where it is now."""
        return place.moved(self.below)


def users_of(root: Node | None) -> tuple[UserFacts, ...]:
    """Every user of a site's tree."""
    users = root.get("users") if isinstance(root, Table) else None
    return tuple(user_facts(key, node) for key, node in users.entries()) if isinstance(users, Table) else ()


def user_facts(key: Scalar, node: Node) -> UserFacts:
    """What the entry ``key: node`` of the site's users says."""
    if not isinstance(node, Table):
        return with_password(key.text, key.place)
    secrets = tuple(given for source in SOURCES if (given := node.key(source)) is not None)
    return with_settings(key.text, key.place, secrets, node.get)


def with_password(name: str, key: Place) -> UserFacts:
    """A user written as just a password."""
    return UserFacts(name, key, None, _SESSIONS, True, None)


def with_settings(
    name: str, key: Place, secrets: tuple[Scalar, ...], value_of: Callable[[str], Node | None]
) -> UserFacts:
    """A user written with settings; ``secrets`` are in the order of ``SOURCES``."""
    sessions, enabled = value_of("sessions"), value_of("enabled")
    return UserFacts(
        name,
        key,
        fixed=address(value_of("ip")),
        sessions=(sessions and positive(sessions)) or _SESSIONS,
        enabled=enabled is None or _read(enabled, values.truth) is not False,
        secrets=secrets,
    )


def address(node: Node | None) -> At | None:
    """The address that a value is, None if it is none."""
    found = None if node is None else _read(node, values.address_number)
    return None if node is None or found is None else At(found, node.place)


def positive(node: Node) -> int | None:
    """The number above 0 that a value is, None if it is none."""
    number = _read(node, values.whole_number)
    return number if number is not None and number > 0 else None


def _read(node: Node, parse: Callable[[object], T]) -> T | None:
    if not isinstance(node, Scalar):
        return None
    try:
        return parse(node.text)
    except values.UnfitError:
        return None


_SESSIONS: int = User.model_fields["sessions"].default
