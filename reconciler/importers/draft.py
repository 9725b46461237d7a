"""A site that grows out of another program's files: what was understood, and what was not and why.

Filled by the other modules of this room, written out as site.yaml's text. Whether the result is a valid site
is for ``site.load`` to say. Notes never hold a password. This module must not know any other program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Final, NamedTuple

from reconciler.site import values
from reconciler.site.escape import visible
from reconciler.site.model import Site
from reconciler.site.scalar import written
from reconciler.site.secrets import Secret

AUTH: Final = ("mschapv2", "chap", "mschap", "pap")
"""Ways to log in, the strongest first."""

Setting = str | list[str] | dict[str, str]


class Note(NamedTuple):
    """Something that did not go over: where it stood (``options:7``), what it was, and why not."""

    where: str
    what: str
    why: str

    def __str__(self) -> str:
        return visible(f"{self.where}: {self.what}: {self.why}")


@dataclass(slots=True)
class Draft:
    """Settings as texts by key, users by name, and notes."""

    settings: dict[str, Setting] = field(default_factory=lambda: {"version": "1"})
    users: dict[str, dict[str, str | Secret]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def note(self, where: str, what: str, why: str) -> None:
        """Remember something that does not go over."""
        self.notes.append(Note(where, what, why))

    def put(self, table: str, key: str, value: str) -> None:
        """A key of a mapping of settings."""
        settings = self.settings.setdefault(table, {})
        assert isinstance(settings, dict), "a mapping has no other value"
        settings[key] = value

    def extend(self, key: str, value: str, where: str, at_most: int | None = None) -> None:
        """One more value of a list; one that is there is not repeated."""
        listed = self.settings.setdefault(key, [])
        assert isinstance(listed, list), "a list has no other value"
        if value in listed:
            return
        if at_most is not None and len(listed) >= at_most:
            self.note(where, f"{key}: {value}", f"at most {at_most}, and there are as many")
            return
        listed.append(value)

    def number(self, text: str, low: int, high: int, where: str, what: str) -> int | None:
        """The number that a text is, if the site can have it, else None and a note."""
        try:
            value = values.whole_number(text)
        except values.UnfitError as unfit:
            self.note(where, what, unfit.message)
            return None
        if low <= value <= high:
            return value
        self.note(where, what, f"must be from {low} to {high}")
        return None

    def pool(self, first: IPv4Address, size: int, where: str) -> None:
        """The pool, without our own address: its larger part, when that lies within."""
        local = self.settings.get("local_ip")
        offset = int(IPv4Address(local)) - int(first) if isinstance(local, str) else -1
        if 0 <= offset < size:
            begin, count = (0, offset) if offset >= size - offset - 1 else (offset + 1, size - offset - 1)
            first, before, size = first + begin, size, count
            why = f"contains local_ip, which no subscriber can have: {size} of {before} addresses remain"
            self.note(where, "the pool", why)
        self.settings["pool_start"] = str(first)
        self.settings["pool_size"] = str(size)

    def text(self) -> str:
        """The site file, with the passwords."""
        lines = [
            line
            for key in Site.model_fields
            if key in self.settings
            for line in _setting(key, self.settings[key])
        ]
        if self.users:
            lines += ["", "users:"]
        for name, user in self.users.items():
            lines += _user(written(name), {key: _revealed(value) for key, value in user.items()})
        return "".join(f"{line}\n" for line in lines)


def methods(required: set[str], refused: set[str]) -> list[str] | None:
    """The ways to log in, when some are required or refused; None for whatever is the default."""
    if not required and not refused:
        return None
    return [way for way in AUTH if (way in required or not required) and way not in refused]


def _setting(key: str, value: Setting) -> list[str]:
    if isinstance(value, str):
        return [f"{key}: {_plain(value)}"]
    if key == "interface" and len(value) == 1 and isinstance(value, list):
        return [f"{key}: {_plain(value[0])}"]
    if isinstance(value, list):
        return [f"{key}: [{', '.join(map(_plain, value))}]"]
    return [f"{key}:", *(f"  {inner}: {_plain(text)}" for inner, text in value.items())]


def _user(name: str, user: Mapping[str, str]) -> list[str]:
    if user.keys() == {"password"}:
        return [f"  {name}: {written(user['password'])}"]
    return [f"  {name}:", *(f"    {key}: {_plain(value)}" for key, value in user.items())]


def _plain(value: str) -> str:
    """Numbers and truth values stand without quotes."""
    return value if value in {"true", "false"} or value.isdecimal() else written(value)


def _revealed(value: Any) -> str:
    return value.reveal() if isinstance(value, Secret) else str(value)
