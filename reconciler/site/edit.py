"""Edits of a site file's text that change the lines concerned and no other character.

Every edit is checked before it is given back: the new text is read like any other site, and the two sites
must differ in exactly what was asked. What cannot be done so is refused, so a layout that nobody thought of
costs an error message, never a user. Neighbours: ``site.splice`` knows layouts, ``site.scalar`` quotes. This
module must not read or write files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import IPv4Address
from typing import Any, Final

from reconciler.site import values
from reconciler.site.compose import compose
from reconciler.site.diagnostic import has_errors
from reconciler.site.escape import visible
from reconciler.site.hashes import Scrypt
from reconciler.site.lint import judged
from reconciler.site.load import Loaded, load
from reconciler.site.model import Site
from reconciler.site.scalar import truth, written
from reconciler.site.secrets import Secret
from reconciler.site.splice import Splice, Text, Value
from reconciler.site.tree import Node, Scalar, Table, node_at
from reconciler.site.user import User

_BOM: Final = "\ufeff"
_ELSEWHERE: Final = {"password_file": "the file", "password_env": "the environment variable"}
_HASHES: Final = ("password_hash", "nt_hash")
_HERE: Final = ("password", "password_age", *_HASHES)


class EditError(ValueError):
    """An edit that is refused; the message holds no secret.

    ``loaded`` has the findings that explain it, when it is a text that is no valid site: the one to be
    edited, or the one that would have come of it.
    """

    def __init__(self, message: str, loaded: Loaded | None = None) -> None:
        super().__init__(message)
        self.loaded = loaded


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit that did what was asked: the new text, and both texts as they are read."""

    content: bytes
    before: Loaded
    after: Loaded


def add_user(
    content: bytes, name: str, password: Secret, ip: str | None = None, *, file: str, sealed: str = ""
) -> Edited:
    """Declare one more user, behind the others and written like most of them.

    ``sealed``: the password encrypted for this user (``site.age``), which then stands there instead. ``file``
    is what findings call the text, here and below. Raises :class:`EditError`.
    """
    _fit(lambda: values.name(name), "the name")
    known = {"password_age": sealed} if sealed else {"password": fitting(password)}
    user = User.model_validate({**known, "ip": _address(ip)})

    def splice(text: Text, users: Table) -> str:
        lines = {key: written(value) for key, value in known.items()} | ({} if ip is None else {"ip": ip})
        value, step = _as_most(text, users, lines)
        return text.append(users, written(name), value, step)

    return _edit(content, file, splice, [name], lambda users: {**users, name: user}, new=True)


def remove_user(content: bytes, name: str, *, file: str) -> Edited:
    """Take a user out, with the lines that declare them. Comments above those stay. Raises
    :class:`EditError`.
    """

    def without(users: Mapping[str, User]) -> dict[str, User]:
        return {other: user for other, user in users.items() if other != name}

    return _edit(content, file, lambda text, users: text.remove(users, name), [name], without)


def set_password(content: bytes, name: str, password: Secret, *, file: str) -> Edited:
    """Give a user another password, where it stands in this file. Raises :class:`EditError`."""
    secret = written(fitting(password))

    def splice(text: Text, users: Table) -> str:
        node = _own_secret(users, name)
        if isinstance(node, Scalar):
            return text.replace(node, secret)
        if any(key in node.index for key in _HASHES):
            raise EditError(f"of the password of {visible(name)} there is only a hash here: say --hash")
        if "password_age" in node.index:
            raise EditError(f"the password of {visible(name)} is encrypted here: say --age")
        return _set(text, node, "password", secret)

    return _edit(content, file, splice, [name], _updated(name, password=password))


def set_hash(content: bytes, name: str, made: Scrypt, *, file: str) -> Edited:
    """Give a user another password of which the file has only the hash; what it had of the old one goes.
    Raises :class:`EditError`.
    """
    return _set_known(content, file, "password_hash", {name: str(made)})


def set_sealed(content: bytes, sealed: Mapping[str, str], *, file: str) -> Edited:
    """Give users, by name, passwords that are encrypted for them (``site.age``), in place of what the file
    had of the old ones. Raises :class:`EditError`.
    """
    return _set_known(content, file, "password_age", sealed)


def _set_known(content: bytes, file: str, key: str, known: Mapping[str, str]) -> Edited:
    """Put under ``key`` what is known of users' passwords, by name, in place of what was."""

    def splice(text: Text, users: Table) -> str:
        return text.spliced(one(text, users, name) for name in known)

    def one(text: Text, users: Table, name: str) -> Splice:
        node, value = _own_secret(users, name), written(known[name])
        if isinstance(node, Scalar):
            return text.nesting(users, name, key, value)
        present = next(other for other in _HERE if other in node.index)
        return text.exchanging(node, present, key, value)

    def change(users: Mapping[str, User]) -> Mapping[str, User]:
        nothing: dict[str, Secret | None] = dict.fromkeys(_HERE)
        new = {
            name: users[name].model_copy(update={**nothing, key: Secret(value)})
            for name, value in known.items()
        }
        return {**users, **new}

    return _edit(content, file, splice, known, change)


def set_enabled(content: bytes, name: str, enabled: bool, *, file: str) -> Edited:
    """Let a user log in, or not. Raises :class:`EditError`."""

    def splice(text: Text, users: Table) -> str:
        return _set(text, users.get(name), "enabled", truth(enabled))

    return _edit(content, file, splice, [name], _updated(name, enabled=enabled))


def set_ip(content: bytes, name: str, ip: str | None, *, file: str) -> Edited:
    """Give a user a fixed address, or, with None, one from the pool. Raises :class:`EditError`."""

    def splice(text: Text, users: Table) -> str:
        node = users.get(name)
        if ip is not None:
            return _set(text, node, "ip", ip)
        assert isinstance(node, Table), "only the long form has an address to take away"
        return text.remove(node, "ip")

    return _edit(content, file, splice, [name], _updated(name, ip=_address(ip)))


def _edit(
    content: bytes,
    file: str,
    splice: Callable[[Text, Table], str],
    names: Collection[str],
    change: Callable[[Mapping[str, User]], Mapping[str, User]],
    *,
    new: bool = False,
) -> Edited:
    """Splice, read again, compare. ``change`` says what the users must be afterwards. What the file denies is
    no hindrance where it stood before.
    """
    before = load(content, file, denying=False)
    if before.site is None:
        raise EditError(f"{file} has errors: mend them first", before)
    for name in names:
        if new and name in before.site.users:
            raise EditError(f"user {visible(name)} is there already")
        if not new and name not in before.site.users:
            close = get_close_matches(name, before.site.users, n=1)
            hint = f": did you mean {visible(close[0])}?" if close else ""
            raise EditError(f"user {visible(name)} is not there{hint}")
    wanted = change(before.site.users)
    if _same(wanted, before.site.users):
        return Edited(content, before, before)
    decoded = content.decode()
    text = decoded.removeprefix(_BOM)
    spliced = splice(Text(text), _users(text))
    result = (decoded[: len(decoded) - len(text)] + spliced).encode()
    after = load(result, file, denying=not _denied(before))
    if after.site is None or has_errors(after.findings):
        raise EditError(f"refused: {file} would not be a valid site afterwards", after)
    if not _differ_only_in_users(before.site, after.site) or not _same(wanted, after.site.users):
        who = ", ".join(visible(name) for name in list(names)[:3])
        raise EditError(
            f"refused: {who} cannot be changed here without changing something else; edit the file by hand"
        )
    return Edited(result, before, after)


def _denied(loaded: Loaded) -> bool:
    assert loaded.site is not None, "it was read whatever it denies"
    return has_errors(judged(loaded.findings, loaded.notes, loaded.site.deny_warnings))


def _users(text: str) -> Table:
    root = compose(text).root
    users = None if root is None else node_at(root, ("users",))
    assert isinstance(users, Table), "the model has read users from it"
    return users


def _own_secret(users: Table, name: str) -> Scalar | Table:
    """A user as declared, whose password, or its hash, is in this file. Raises :class:`EditError`."""
    node = users.get(name)
    if isinstance(node, Table):
        for key, holder in _ELSEWHERE.items():
            where = node.get(key)
            if isinstance(where, Scalar):
                place = f"{holder} {visible(where.text)}"
                raise EditError(f"the password of {visible(name)} is in {place}: change it there")
    assert isinstance(node, Scalar | Table), "the model has read a user from it"
    return node


def _set(text: Text, node: Node | None, key: str, value: str) -> str:
    """Set one key of a user, who gets the long form if need be."""
    if isinstance(node, Scalar):
        return text.replace(node, {"password": written(node.text), key: value})
    assert isinstance(node, Table), "the model has read a user from it"
    present = node.get(key)
    if isinstance(present, Scalar):
        return text.replace(present, value)
    return text.append(node, key, value, None)


def _as_most(text: Text, users: Table, lines: Mapping[str, str]) -> tuple[Value, int | None]:
    """A user's value in the form that most users have, and its step of indentation."""
    forms: Counter[str | int] = Counter()
    for _, node in users.entries():
        if isinstance(node, Table) and node.written:
            forms["braces" if text.is_flow(node) else text.indent(node) - text.indent(users)] += 1
        elif lines.keys() == {"password"}:
            forms["short"] += 1
    form = forms.most_common(1)[0][0] if forms else 2
    if form == "short":
        return lines["password"], None
    return lines, form if isinstance(form, int) else None


def _updated(name: str, **update: Any) -> Callable[[Mapping[str, User]], Mapping[str, User]]:
    return lambda users: {**users, name: users[name].model_copy(update=update)}


def _same(one: Mapping[str, User], other: Mapping[str, User]) -> bool:
    return one.keys() == other.keys() and all(
        user is other[name] or dict(user) == dict(other[name]) for name, user in one.items()
    )


def _differ_only_in_users(before: Site, after: Site) -> bool:
    return all(value == getattr(after, key) for key, value in before if key != "users")


def fitting(password: Secret) -> str:
    """The text of a password that the protocol has room for. Raises :class:`EditError`."""
    text = password.reveal()
    if not text:
        raise EditError("the password is empty")
    return str(_fit(lambda: values.password(text), ""))


def _address(ip: str | None) -> IPv4Address | None:
    return None if ip is None else _fit(lambda: values.address(ip), "the address")


def _fit(parse: Callable[[], Any], what: str) -> Any:
    """What ``parse`` gives, or its complaint, which never repeats the text."""
    try:
        return parse()
    except values.UnfitError as unfit:
        raise EditError(f"{what} {'is ' if what else ''}{unfit.message}: {unfit.advice}".strip()) from None
    except UnicodeEncodeError:
        raise EditError(f"{what or 'the password'} is not UTF-8 text") from None
