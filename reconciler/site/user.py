"""One subscriber in site.yaml: what is known of the password, the address, the limits.

The description of a key is its documentation, the ``OnChange`` beside it is what becomes of live sessions.
Rules that take two keys to break live in ``site.logins``. This module must not know the other users.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from reconciler.site import values
from reconciler.site.declared import Declared
from reconciler.site.impact import Effect, Impact, OnChange, Touch, later, unnoticed
from reconciler.site.kinds import Address, Hash, NtHash, Number, Password, Rate, Sealed, Truth, read
from reconciler.site.secrets import Secret

ON_REMOVE: Final = {"terminate": Impact.DROP, "drain": Impact.LATER}
"""What becomes of the sessions of a user who goes, by the site's ``on_remove``."""

_KEEP: Final = {"keep": Impact.LATER, "terminate": Impact.DROP}
_SECRET: Final = OnChange.always(
    Effect(Impact.LATER, Touch.USER, "password", policy="on_password_change", choices=_KEEP)
)


class RateLimit(Declared):
    """How fast a subscriber's packets may go, each direction by itself: bits a second of IPv4 packets,
    without what PPPoE adds. A change counts at once, for live sessions too.
    """

    down: Annotated[Rate | None, unnoticed()] = Field(
        default=None, description="Towards the subscriber. Unset: no limit.", examples=["50M"]
    )
    up: Annotated[Rate | None, unnoticed()] = Field(
        default=None, description="From the subscriber. Unset: no limit.", examples=["10M"]
    )


class User(Declared):
    """One subscriber. What is known of the password is given by exactly one of the first six keys."""

    password: Annotated[Password | None, _SECRET] = Field(
        default=None,
        description="The password, taken literally: `0123`, `no` and `1e5` are these characters. 1 to 255 "
        "octets. In the short form, `name: password`, it stands alone.",
        examples=["test"],
    )
    password_file: Annotated[str | None, read(values.file_path), unnoticed()] = Field(
        default=None,
        description="A file that holds the password; one newline at its end is not part of it. A relative "
        "path starts at this file's directory. What counts as a change is the password, not the file's name.",
        examples=["secrets/yunhan"],
    )
    password_env: Annotated[str | None, read(values.environment_name), unnoticed()] = Field(
        default=None,
        description="The environment variable of the daemon that holds the password.",
        examples=["PABLO_PASSWORD"],
    )
    password_age: Annotated[Sealed | None, unnoticed()] = Field(
        default=None,
        description="The password, encrypted with age (X25519) so that this file can be read by anybody: one "
        "line, or the block that `age --armor` writes. `reconciler user passwd NAME --age` makes it, for "
        "`age_recipients`. The user's name is encrypted with it, so that a copy does not serve another user. "
        "What counts as a change is the password, not how it is encrypted.",
        examples=["YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBLQ..."],
    )
    password_hash: Annotated[Hash | None, _SECRET] = Field(
        default=None,
        description="The password's scrypt hash, as `mkpasswd -m scrypt` writes it (`$7$...`) or in the form "
        "`$scrypt$ln=14,r=8,p=1$salt$hash`. It keeps the password from whoever reads this file, and serves "
        "`pap` alone: no challenge can be checked against it.",
        examples=["$scrypt$ln=14,r=8,p=1$c2FsdHNhbHRzYWx0$Y2g4kHYNXZq1q2g2mXnkDg8w9qnGvV7F0x1q0f5s1eE"],
    )
    nt_hash: Annotated[NtHash | None, _SECRET] = Field(
        default=None,
        description="The password's NT hash (MD4 of its UTF-16 form), 32 hexadecimal digits, as Windows and "
        "Samba keep it. It serves `mschapv2`, `mschap` and `pap`, and is worth as much as the password to "
        "whoever reads it.",
        examples=["44ebba8d5312b8d611474411f56989ae"],
    )
    ip: Annotated[Address | None, later(Touch.OTHER_ADDRESS, "address")] = Field(
        default=None,
        description="A fixed address for this user, in or out of the pool. Without it the pool provides one.",
        examples=["10.214.2.110"],
    )
    enabled: Annotated[
        Truth,
        OnChange(removed=Effect(Impact.DROP, Touch.USER, policy="on_remove", choices=ON_REMOVE)),
    ] = Field(
        default=True,
        description="`false` refuses the user's logins and ends their sessions (see `on_remove`), without "
        "forgetting the user.",
    )
    sessions: Annotated[Number, OnChange(changed=Effect(Impact.DROP, Touch.SURPLUS))] = Field(
        default=1,
        ge=1,
        le=1024,
        description="At most this many sessions of the user at once. Lowering it ends the oldest surplus.",
    )
    rate_limit: Annotated[RateLimit, unnoticed()] = Field(
        default=RateLimit(),
        description="How fast the user's packets may go, each session by itself. Digits with `k`, `M` or `G` "
        "behind them: bits a second.",
        examples=[{"down": "50M", "up": "10M"}],
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        return {"password": data} if isinstance(data, str | Secret) else data
