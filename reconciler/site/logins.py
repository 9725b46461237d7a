"""Rules about logging in: one secret for each user, and methods in ``auth`` that it serves.

A hash that no challenge can be checked against is found here, and not by a subscriber at night. Part of the
cross-checks (``site.checks``). This module must not know how findings are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from reconciler.site.diagnostic import Diagnostic, Related
from reconciler.site.escape import visible
from reconciler.site.facts import UserFacts
from reconciler.site.model import Site
from reconciler.site.place import Place
from reconciler.site.secrets import SERVES, SOURCES, Kind
from reconciler.site.tree import Listing, Scalar, Table

_CALLED: Final[dict[Kind, str]] = {"password": "password", "scrypt": "scrypt hash", "nt_hash": "NT hash"}


class _Holder(NamedTuple):
    """A user, what is known of the password, and the key that says so."""

    user: UserFacts
    kind: Kind
    key: Place

    @property
    def name(self) -> str:
        return visible(self.user.name)

    @property
    def place(self) -> Place:
        return self.user.where(self.key)


def check_logins(root: Table, users: Sequence[UserFacts]) -> Iterator[Diagnostic]:
    """Every finding about how ``users`` log in."""
    offered = _offered(root)
    # What serves the first method leaves nothing to be said.
    doubtful = {kind for kind, serves in SERVES.items() if offered and offered[0] not in serves}
    holders: list[_Holder] = []
    for user in users:
        if user.secrets is None:
            continue
        if len(user.secrets) != 1:
            yield _not_one_secret(user, user.secrets)
        elif doubtful and (kind := SOURCES[user.secrets[0].text]) in doubtful:
            holders.append(_Holder(user, kind, user.secrets[0].place))
    yield from _unserved(offered, holders)
    yield from _served_too_late(root, offered, holders)


def _not_one_secret(user: UserFacts, given: Sequence[Scalar]) -> Diagnostic:
    *most, least = (f"`{source}`" for source in SOURCES)
    choice = f"{', '.join(most)} or {least}"
    if not given:
        message = f"user {visible(user.name)} has no password"
        return Diagnostic("E134", message, user.where(user.key), "", f"give one of {choice}")
    first, *_, last = sorted(key.place for key in given)
    message = f"user {visible(user.name)} has more than one password"
    related = (Related(user.where(first), "first given here"),)
    return Diagnostic("E134", message, user.where(last), "given again", f"keep one of {choice}", related)


def _unserved(offered: Sequence[str], holders: Sequence[_Holder]) -> Iterator[Diagnostic]:
    for holder in holders:
        serves = SERVES[holder.kind]
        if serves.isdisjoint(offered):
            message = f"user {holder.name} can log in by none of the methods in `auth`"
            ways = _listed([method for method in Site.model_fields["auth"].default if method in serves], "or")
            advice = f"add {ways} to `auth`, or give the password itself"
            label = f"{_article(holder.kind)} does not serve {_listed(offered, 'or')}"
            yield Diagnostic("E145", message, holder.place, label, advice)


def _served_too_late(root: Table, offered: Sequence[str], holders: Sequence[_Holder]) -> Iterator[Diagnostic]:
    """One finding for each kind of hash, however many users have it."""
    for kind, serves in SERVES.items():
        late = [holder for holder in holders if holder.kind == kind]
        good = [method for method in offered if method in serves]
        if not late or not good:
            continue
        before = _listed(offered[: offered.index(good[0])], "and")
        who = f"user {late[0].name}" if len(late) == 1 else f"{len(late)} users"
        message = f"{who} cannot log in by {before}, offered before `{good[0]}`"
        auth = root.get("auth")
        holder = Related(late[0].place, f"{late[0].name} has {_article(kind)}")
        advice = f"set `auth: [{', '.join(good)}]`"
        if auth is None:
            yield Diagnostic("W204", message, late[0].place, _article(kind), advice)
        else:
            yield Diagnostic("W204", message, auth.place, "in this order", advice, (holder,))


def _offered(root: Table) -> tuple[str, ...]:
    """The methods in ``auth``, as far as they can be read."""
    node = root.get("auth")
    if node is None:
        return tuple(Site.model_fields["auth"].default)
    items = node.items if isinstance(node, Listing) else ()
    return tuple(item.text for item in items if isinstance(item, Scalar) and item.text in SERVES["password"])


def _listed(methods: Sequence[str], joined_by: str) -> str:
    *most, least = (f"`{method}`" for method in methods)
    return f"{', '.join(most)} {joined_by} {least}" if most else least


def _article(kind: Kind) -> str:
    return f"{'an' if kind == 'nt_hash' else 'a'} {_CALLED[kind]}"
