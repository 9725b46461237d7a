"""Passwords and hashes of them: a wrapper that never shows them, and where they come from.

Reading files and the environment is done by callables given from outside. This module must not know the
network, nor keep what it was given anywhere but in the :class:`Secret` it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from reconciler.site import age, values
from reconciler.site.diagnostic import Diagnostic, Related
from reconciler.site.escape import visible
from reconciler.site.place import Path, Place

if TYPE_CHECKING:
    from reconciler.site.model import Site
    from reconciler.site.user import User

HIDDEN: Final = "********"
"""What stands in for a secret wherever one would be seen; always of this length, whatever the secret's."""


class Secret:
    """Text that must not be seen. Only :meth:`reveal` gives it back; str, repr, format and JSON do not."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one who checks a login."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret('{HIDDEN}')"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac

        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True))
        return core_schema.json_or_python_schema(
            json_schema=text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), text]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=core_schema.str_schema()
            ),
        )


Kind = Literal["password", "scrypt", "nt_hash"]

SOURCES: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "password": "password",
        "password_file": "password",
        "password_env": "password",
        "password_age": "password",
        "password_hash": "scrypt",
        "nt_hash": "nt_hash",
    }
)
"""The keys of a user of which one must be given, and what each gives."""

SERVES: Final[Mapping[Kind, frozenset[str]]] = MappingProxyType(
    {
        "password": frozenset({"mschapv2", "chap", "mschap", "pap"}),
        "nt_hash": frozenset({"mschapv2", "mschap", "pap"}),
        "scrypt": frozenset({"pap"}),
    }
)
"""The ways to log in for which it is enough to know this of a password."""


@dataclass(frozen=True, slots=True)
class UserSecret:
    """What is known of a user's password. ``secret`` is the password, or a hash as ``site.hashes`` writes
    it.
    """

    kind: Kind
    secret: Secret


def fingerprint(key: bytes, known: UserSecret) -> str:
    """Sixteen hexadecimal digits that tell two secrets apart and may be shown.

    ``key`` (up to 64 octets) must itself be secret and live as long as the fingerprints: without it nobody
    can try passwords against one, and under another key every password looks changed.
    """
    import hashlib

    text = known.secret.reveal().encode()
    return hashlib.blake2b(text, key=key, digest_size=8, person=_PERSONS[known.kind]).hexdigest()


_PERSONS: Final = {"password": b"reconciler-pw", "scrypt": b"reconciler-sc", "nt_hash": b"reconciler-nt"}


@dataclass(frozen=True, slots=True)
class Resolved:
    """Every user's secret, or the findings (all of them errors) about those that could not be had."""

    secrets: Mapping[str, UserSecret]
    findings: tuple[Diagnostic, ...]


def _without_key(_sealed: bytes) -> bytes:
    raise values.UnfitError("E153", "there is no key to decrypt it with")


def resolve(
    site: Site,
    read_file: Callable[[str], bytes],
    getenv: Callable[[str], str | None],
    places: Mapping[Path, Place] = MappingProxyType({}),
    unseal: Callable[[bytes], bytes] = _without_key,
) -> Resolved:
    """Get every user's secret from where the site says it is.

    ``read_file`` gets the path as written in the site file, and raises OSError when it cannot be read.
    ``places`` is the loader's, for the findings (E150 to E154). ``unseal`` decrypts an age file, and raises
    ``UnfitError`` (E153) when it cannot.
    """
    secrets: dict[str, UserSecret] = {}
    findings: list[Diagnostic] = []
    for name, user in site.users.items():
        source = next((key for key in SOURCES if getattr(user, key) is not None), "password")
        try:
            if user.password_age is not None:
                content = unseal(age.octets(user.password_age.reveal()))
                secrets[name] = UserSecret("password", Secret(age.password_of(name, content)))
            else:
                secrets[name] = UserSecret(SOURCES[source], _obtain(user, read_file, getenv))
        except values.UnfitError as unfit:
            place = places.get(("users", name, source)) or places.get(("users", name))
            message = f"password of user {visible(name)}: {unfit.message}"
            findings.append(Diagnostic(unfit.code, message, place, "", unfit.advice))
    return Resolved(secrets, tuple(findings))


def copied(site: Site, places: Mapping[Path, Place]) -> tuple[Diagnostic, ...]:
    """An encrypted password serves the user for whom it was made: of two who have the same, one is wrong."""
    first: dict[str, str] = {}
    findings: list[Diagnostic] = []
    for name, sealed in zip(site.users, map(attrgetter("password_age"), site.users.values()), strict=True):
        if sealed is None:
            continue
        other = first.setdefault(sealed.reveal(), name)
        if other != name:
            message = f"user {visible(name)} has the encrypted password of user {visible(other)}"
            advice = f"`reconciler user passwd {visible(name)} --age` makes one that serves"
            there = places.get(("users", other, "password_age"))
            related = (Related(there, f"{visible(other)} has it here"),) if there else ()
            place = places.get(("users", name, "password_age"))
            findings.append(Diagnostic("E154", message, place, "the same again", advice, related))
    return tuple(findings)


def exposed(
    site: Site, flaws: Mapping[str, str], places: Mapping[Path, Place] = MappingProxyType({})
) -> tuple[Diagnostic, ...]:
    """One finding (W206) about all password files that others can get at. ``flaws`` says of each such file,
    by its path as written, what is wrong with its permissions.
    """
    names = [name for name, user in site.users.items() if user.password_file in flaws]
    if not names:
        return ()
    file = site.users[names[0]].password_file
    assert file is not None
    more = f"; so are {len(names) - 1} more" if len(names) > 1 else ""
    message = (
        f"{visible(file)}, with the password of {visible(names[0])}, is open to others: {flaws[file]}{more}"
    )
    place = places.get(("users", names[0], "password_file"))
    advice = f"`chmod 600 {visible(file)}`, and let root own it"
    return (Diagnostic("W206", message, place, "", advice),)


def _obtain(user: User, read_file: Callable[[str], bytes], getenv: Callable[[str], str | None]) -> Secret:
    if user.password_file is not None:
        try:
            content = read_file(user.password_file)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            message = f"{visible(user.password_file)} cannot be read: {reason}"
            raise values.UnfitError("E150", message, "the daemon must be able to read it") from None
        return _acceptable(content, "the file")
    if user.password_env is not None:
        text = getenv(user.password_env)
        if text is None:
            message = f"the environment variable {user.password_env} is not set"
            raise values.UnfitError("E151", message, "set it in the daemon's environment")
        return _acceptable(text.encode(errors="surrogateescape"), "the environment variable")
    written = user.password or user.password_hash or user.nt_hash
    if written is None:
        raise values.UnfitError("E134", "none is given", f"give one of {', '.join(SOURCES)}")
    return written


def _acceptable(content: bytes, holder: str) -> Secret:
    """The password in a file or variable: one line of UTF-8, whose newline does not count."""
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise values.UnfitError(
            "E152", f"{holder} is not UTF-8 text", "write the password as UTF-8"
        ) from None
    if "\n" in text:
        raise values.UnfitError(
            "E152", f"{holder} has more than one line", "write the password alone, in one line"
        )
    try:
        return Secret(values.password(text))
    except values.UnfitError as unfit:
        raise values.UnfitError("E152", f"{holder}: {unfit.message}", "write the password alone") from None
