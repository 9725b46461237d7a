"""pap-secrets and chap-secrets: ``client server secret addresses...`` lines, as pppd and accel-ppp have them.

pppd(8), "authentication". Notes show the user's name and nothing else of a line: where the words
are not what they should be, any of them could be the password.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.importers.draft import Draft
from reconciler.importers.words import Line, lines
from reconciler.site import values
from reconciler.site.secrets import Secret


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the words behind a secret mean: for pppd all are addresses, for accel-ppp the second is a rate."""

    rates: bool = False
    files: bool = True


PPPD = Dialect()
ACCEL = Dialect(rates=True, files=False)


def take_logins(draft: Draft, text: str, name: str, dialect: Dialect = PPPD) -> None:
    """Add the users of a secrets file to a draft."""
    for line in lines(text, name):
        if len(line.words) < 3:
            draft.note(line.where, "an entry", "it has no secret; a line is `client server secret addresses`")
            continue
        _take(draft, line, dialect)


def _take(draft: Draft, line: Line, dialect: Dialect) -> None:
    client, server, secret, *rest = line.words
    what = f"user {client}"
    try:
        values.name(client)
        user: dict[str, str | Secret]
        if dialect.files and secret.startswith("@"):
            user = {"password_file": values.file_path(secret[1:])}
        else:
            user = {"password": Secret(values.password(secret))}
    except values.UnfitError as unfit:
        draft.note(line.where, what, f"{unfit.message}; left out")
        return
    if client == "*":
        draft.note(line.where, "an entry for every name (`*`)", "here each user is declared; left out")
        return
    if server != "*":
        draft.note(line.where, f"{what}, its server", "users log in whatever our name is; kept")
    for key, value in _addresses(draft, line, what, rest, dialect).items():
        user[key] = value
    known = draft.users.setdefault(client, user)
    if known != user:
        draft.note(line.where, f"{what}, once more", "differs from the entry before, which is kept")


def _addresses(draft: Draft, line: Line, what: str, rest: list[str], dialect: Dialect) -> dict[str, str]:
    """What the words behind the secret say."""
    if "--" in rest:
        draft.note(line.where, f"{what}, options behind `--`", "there are none for single users")
        rest = rest[: rest.index("--")]
    if dialect.rates and len(rest) > 1:
        draft.note(line.where, f"{what}, its rate", "give it by hand: see `users.*.rate_limit`")
        rest = rest[:1]
    if rest in ([], ["*"]):
        return {}
    if rest == ["-"]:
        draft.note(line.where, what, "has no address (`-`), and can therefore not get online; disabled")
        return {"enabled": "false"}
    try:
        if len(rest) == 1:
            return {"ip": str(values.address(rest[0]))}
    except values.UnfitError:
        pass
    draft.note(line.where, f"{what}, the addresses", "here it is one, or the pool; gets the pool")
    return {}
