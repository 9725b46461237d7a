"""The tables of site.yaml that belong together: forwarding, translation, drift, keepalive, limits, the guard.

The description of a key is its documentation, the ``OnChange`` beside it is what becomes of live sessions.
Neighbour: ``site.model`` has the site that they are part of. This module must not know the other keys.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.site.declared import Declared
from reconciler.site.impact import Touch, later, unnoticed
from reconciler.site.kinds import Interface, Number, Share, Truth, one_or_more

Healing = Literal["on", "report", "off"]


class Forwarding(Declared):
    """Kernel settings that let subscribers' packets through."""

    ip_forward: Annotated[Truth | None, unnoticed(borrowed=True)] = Field(
        default=None,
        description="Whether the kernel forwards IPv4 between its interfaces (`net.ipv4.ip_forward`). "
        "Unset: not managed, left as it is. Removing the key puts back the value found before the first "
        "write.",
        examples=[True],
    )
    proxy_arp: Annotated[Truth | None, unnoticed(borrowed=True)] = Field(
        default=None,
        description="Whether the kernel answers ARP for subscribers' addresses on the served interfaces "
        "(`net.ipv4.conf.*.proxy_arp`), which subscribers need when their addresses belong to the network "
        "of the interface. Unset: not managed, left as it is.",
        examples=[True],
    )
    rp_filter: Annotated[Literal["off", "strict", "loose"] | None, unnoticed(borrowed=True)] = Field(
        default=None,
        description="How the kernel checks the source address of what arrives on the served interfaces and "
        "from subscribers (`net.ipv4.conf.*.rp_filter`, RFC 3704): `strict`, the way back must lead there; "
        "`loose`, any way back will do; `off`. Subscribers' packets pass all three, since the way back to "
        "them leads to the device from which they come. Unset: not managed, left as it is.",
        examples=["strict"],
    )


class Nat(Declared):
    """Address translation for subscribers (RFC 3022), by a table of nftables of our own."""

    masquerade: Annotated[tuple[Interface, ...], one_or_more, unnoticed()] = Field(
        default=(),
        description="The interface, or a list of them, by which subscribers' packets leave under the "
        "interface's own address. That holds for the pool and for private addresses (RFC 1918, RFC 6598): a "
        "user with a public fixed address keeps it. Needs the program `nft` (Debian: nftables).",
        examples=["eth0", ["eth0", "ppp0"]],
    )


class SelfHeal(Declared):
    """What is done about drift: `on` puts it back, `report` shows it in the plan, the status and the
    metrics and leaves it, `off` does not even look. A single word stands for all classes.
    """

    forwarding: Annotated[Healing, unnoticed()] = Field(
        default="on", description="The settings of `forwarding`: ip_forward, proxy_arp, rp_filter."
    )
    links: Annotated[Healing, unnoticed()] = Field(
        default="on", description="The data path's device: whether it is up, and its MTU."
    )
    addresses: Annotated[Healing, unnoticed()] = Field(
        default="on", description="Our address, `local_ip`, on the data path's device."
    )
    routes: Annotated[Healing, unnoticed()] = Field(
        default="on", description="The routes to subscribers' addresses."
    )
    nft: Annotated[Healing, unnoticed()] = Field(
        default="on", description="The tables of nftables that `nat` and `clamp_mss` make."
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return data
        if data not in get_args(Healing):
            context = {
                "says": "not one of the values it can have",
                "advice": "write `on`, `report` or `off`",
            }
            raise PydanticCustomError("E128", "{says}", context)
        return dict.fromkeys(cls.model_fields, data)


class LcpEcho(Declared):
    """Keepalive by LCP Echo-Request (RFC 1661 §5.8): how a vanished subscriber is noticed."""

    interval: Annotated[Number, later(Touch.ALL, "keepalive")] = Field(
        default=30, ge=0, le=3600, description="Seconds between Echo-Requests; 0 sends none."
    )
    failures: Annotated[Number, later(Touch.ALL, "keepalive")] = Field(
        default=3, ge=1, le=100, description="Unanswered Echo-Requests in a row that end the session."
    )


class Limits(Declared):
    """What subscribers' stations may ask for, so that none can harm the others. 0 is no limit."""

    padi_per_mac: Annotated[Number, unnoticed()] = Field(
        default=10,
        ge=0,
        le=100_000,
        description="Searches for an access concentrator (PADI) that are answered in a second for one MAC "
        "address, and sessions that it may begin; twice as many in a burst. 0: all.",
    )
    padi_total: Annotated[Number, unnoticed()] = Field(
        default=2000,
        ge=0,
        le=1_000_000,
        description="Searches (PADI) that are answered in a second for all stations together. 0: all.",
    )
    half_open: Annotated[Number, unnoticed()] = Field(
        default=4000,
        ge=0,
        le=1_000_000,
        description="Sessions without a login at once. Whoever asks for one more is told to come back "
        "later. 0: any number.",
    )
    failed_logins: Annotated[Number, unnoticed()] = Field(
        default=5,
        ge=0,
        le=1000,
        description="Failed logins in a row, of one station or with one name, after which it has to wait, "
        "twice as long each time. 0: nobody waits.",
    )
    lockout: Annotated[Number, unnoticed()] = Field(
        default=60,
        ge=1,
        le=86_400,
        description="Seconds that a wait after failed logins lasts at most.",
    )


class Guard(Declared):
    """How much one edit may take away by itself. Past a limit it is held until somebody releases it with
    `reconciler apply SITE --allow-guard PLAN-ID`; what was in force before stays so. An edit of these limits
    counts from the next edit on. Up to 3 users and 3 sessions always pass.
    """

    max_users_removed: Annotated[Share, unnoticed()] = Field(
        default="20%",
        description="Users who may be removed or disabled by one edit: a number, or a percentage of those "
        "who could log in before. Up to 3 always pass. `100%`: any number.",
        examples=["20%", 50],
    )
    max_sessions_dropped: Annotated[Share, unnoticed()] = Field(
        default="20%",
        description="Live sessions that may be ended by one edit: a number, or a percentage of all. Up to 3 "
        "always pass. `100%`: any number.",
        examples=["20%", 50],
    )
