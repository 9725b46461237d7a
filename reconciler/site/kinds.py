"""The kinds of single values that a site declares: how each is read, and how the JSON schema names it.

Each reads a scalar's text with a function of ``site.values`` and its like, and carries that one's code and
advice into the model's error. Neighbours: ``site.model``, ``site.user`` and ``site.tables`` have the
fields. This module must not know them.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from reconciler.site import age, codes, hashes, values
from reconciler.site.secrets import Secret


def read(parse: Callable[[object], object]) -> BeforeValidator:
    """Reads a scalar's text with a function of ``site.values``, carrying its code and advice into the
    error.
    """

    def run(value: object) -> object:
        try:
            return parse(value)
        except values.UnfitError as unfit:
            context = {"says": unfit.message, "advice": unfit.advice}
            raise PydanticCustomError(unfit.code, "{says}", context) from None

    return BeforeValidator(run)


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


one_or_more = BeforeValidator(_one_or_more)
"""Lets a single value stand for a list of one."""


def _password(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(values.password(value))


def _scrypt(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(hashes.scrypt(values.text(value))))


def _nt_hash(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(hashes.nt_hash(values.text(value)))


def _sealed(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(age.sealed(values.text(value)))


def _recipient(value: object) -> str:
    return age.recipient(values.text(value))


def _warning(value: object) -> str:
    text = values.text(value)
    if text not in codes.DENIABLE:
        raise values.UnfitError("E128", "not the code of a warning", "write `W205`, or `all`")
    return text


class Words(NamedTuple):
    """What a kind is called where its Python type would say too little."""

    text: str


Number = Annotated[int, read(values.whole_number)]
Truth = Annotated[bool, read(values.truth)]
Address = Annotated[IPv4Address, read(values.address)]
Name = Annotated[str, read(values.name)]
Interface = Annotated[str, read(values.interface)]
Share = Annotated[
    str,
    read(values.share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": "^(0|[1-9][0-9]{0,8}|(100|[1-9]?[0-9])%)$"},
            ]
        }
    ),
]
Rate = Annotated[
    int,
    read(values.rate),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,11}[kMG]$"}),
    Words("rate: digits and `k`, `M` or `G`"),
]
Password = Annotated[Secret, read(_password)]
Hash = Annotated[Secret, read(_scrypt)]
NtHash = Annotated[Secret, read(_nt_hash)]
Sealed = Annotated[Secret, read(_sealed)]
Recipient = Annotated[str, read(_recipient)]
WarningCode = Annotated[str, read(_warning), WithJsonSchema({"enum": list(codes.DENIABLE)})]
