"""What an operator can declare in site.yaml: every key, its meaning, its limits, and what changing it costs.

The one source for the loader, the JSON schema, the reference documentation and the plan's impacts: the
description is the documentation, the ``OnChange`` beside a field is what becomes of live sessions.
Neighbours: ``site.user`` and ``site.tables`` have the inner tables, ``site.kinds`` the kinds of values,
``site.checks`` the rules that take two fields to break. This module must not know files, places in them, or
the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from reconciler.site import values
from reconciler.site.declared import Declared
from reconciler.site.impact import Effect, Impact, OnChange, Touch, later, unnoticed
from reconciler.site.kinds import (
    Address,
    Interface,
    Name,
    Number,
    Recipient,
    Truth,
    WarningCode,
    one_or_more,
    read,
)
from reconciler.site.tables import Forwarding, Guard, LcpEcho, Limits, Nat, SelfHeal
from reconciler.site.user import ON_REMOVE, User

AuthMethod = Literal["mschapv2", "chap", "mschap", "pap"]


class Site(Declared):
    """An access concentrator: what it serves, to whom, and with which settings."""

    version: Annotated[Literal[1], read(values.whole_number), unnoticed()] = Field(
        description="The version of this file's format."
    )
    interface: Annotated[
        tuple[Interface, ...],
        one_or_more,
        OnChange(removed=Effect(Impact.DROP, Touch.INTERFACE)),
    ] = Field(
        min_length=1,
        description="The Ethernet interface on which subscribers dial in, or a list of them. One that does "
        "not exist yet is waited for.",
        examples=["eth0", ["eth1", "eth2.100"]],
    )
    access_only: Annotated[Truth, unnoticed()] = Field(
        default=False,
        description="Whether the interfaces are for subscribers alone: whatever arrives there that is not "
        "PPPoE is dropped, ARP too. `false`: each is an ordinary interface as well, often the uplink. It "
        "takes the data path `ebpf`.",
    )
    ac_name: Annotated[Name | None, unnoticed()] = Field(
        default=None,
        description="The access concentrator's name in offers (PPPoE AC-Name) and in CHAP challenges. "
        "Default: the host's name. 1 to 255 octets.",
        examples=["SERVER"],
    )
    local_ip: Annotated[Address, later(Touch.ALL, "peer address")] = Field(
        description="Our address at the near end of every session: what subscribers see as their peer. "
        "After a change the old one stays until its last session ends.",
        examples=["10.214.2.100"],
    )
    pool_start: Annotated[Address, later(Touch.OUTSIDE_POOL, "address")] = Field(
        description="The first address for users without a fixed one. A live session keeps its address, "
        "which stays reserved until it ends.",
        examples=["10.214.2.101"],
    )
    pool_size: Annotated[Number, later(Touch.OUTSIDE_POOL, "address")] = Field(
        default=64,
        ge=1,
        le=1_048_576,
        description="How many consecutive addresses the pool has. It must reach neither `local_ip` nor the "
        "end of the address space.",
    )
    dns_servers: Annotated[tuple[Address, ...], later(Touch.ALL, "DNS servers")] = Field(
        default=(),
        max_length=2,
        description="Name servers that subscribers are told of (IPCP, RFC 1877), the primary one first; at "
        "most two. Windows subscribers need them.",
        examples=[["8.8.8.8", "8.8.4.4"]],
    )
    wins_servers: Annotated[tuple[Address, ...], later(Touch.ALL, "WINS servers")] = Field(
        default=(),
        max_length=2,
        description="NetBIOS name servers that subscribers are told of (IPCP, RFC 1877); at most two.",
        examples=[["10.214.2.5"]],
    )
    forwarding: Annotated[Forwarding, unnoticed()] = Field(
        default=Forwarding(), description="Kernel settings that let subscribers' packets through."
    )
    nat: Annotated[Nat, unnoticed()] = Field(
        default=Nat(), description="Address translation for subscribers, by nftables."
    )
    clamp_mss: Annotated[Truth | None, unnoticed()] = Field(
        default=None,
        description="Whether the segment size of subscribers' TCP connections is lowered, in both "
        "directions, to what the path and a session take: `mtu` less 40 octets. It helps where ICMP is lost. "
        "Needs the program `nft` (Debian: nftables). Unset: where that is possible.",
        examples=[True],
    )
    self_heal: Annotated[SelfHeal, unnoticed()] = Field(
        default=SelfHeal(),
        description="What is done about drift, class by class or with one word for all: `on` puts it back, "
        "`report` shows it and leaves it, `off` does not even look. What we did not write is never touched.",
        examples=["report", {"routes": "report", "nft": "off"}],
    )
    users: Annotated[
        Mapping[Name, User],
        OnChange(
            removed=Effect(Impact.DROP, Touch.USER, policy="on_remove", choices=ON_REMOVE),
        ),
    ] = Field(
        min_length=1,
        description="The subscribers by name. A name is 1 to 255 octets, taken literally.",
        examples=[{"theo": "test", "pablo": {"password": "test", "ip": "10.214.2.110"}}],
    )
    auth: Annotated[tuple[AuthMethod, ...], later(Touch.ALL, "authentication")] = Field(
        default=("mschapv2", "chap", "pap"),
        min_length=1,
        description="The ways to log in that are offered, in this order: `mschapv2` (RFC 2759, proves the "
        "password to both sides), `chap` (MD5, RFC 1994), `pap` (RFC 1334, the password travels in the "
        "clear), and for very old clients `mschap` (RFC 2433). A client that does not know the first one is "
        "asked for the next; one that is not in the list is never agreed to.",
        examples=[["chap"], ["pap", "chap"]],
    )
    service_names: Annotated[tuple[Name, ...], unnoticed()] = Field(
        default=(),
        max_length=32,
        description="PPPoE service names that are offered. Empty: whatever service a subscriber asks for.",
        examples=[["internet"]],
    )
    mtu: Annotated[Number, later(Touch.ALL, "MTU")] = Field(
        default=1492,
        ge=576,
        le=1500,
        description="The largest packet of a session, in octets. 1492 is what PPPoE leaves of an Ethernet "
        "frame; more needs an interface and subscribers with larger frames (RFC 4638).",
    )
    lcp_echo: Annotated[LcpEcho, unnoticed()] = Field(
        default=LcpEcho(), description="Keepalive: how a vanished subscriber is noticed."
    )
    session_timeout: Annotated[Number, later(Touch.ALL, "session time-out")] = Field(
        default=0,
        ge=0,
        le=31_536_000,
        description="Seconds after which a session is ended however busy it is, so that the subscriber has "
        "to log in again. 0: never.",
        examples=[86_400],
    )
    idle_timeout: Annotated[Number, later(Touch.ALL, "idle time-out")] = Field(
        default=0,
        ge=0,
        le=31_536_000,
        description="Seconds without a packet in either direction after which a session is ended, within ten "
        "seconds. 0: never.",
        examples=[900],
    )
    age_recipients: Annotated[tuple[Recipient, ...], unnoticed()] = Field(
        default=(),
        max_length=64,
        description="For whom passwords in this file are encrypted (`password_age`): the box, as `reconciler "
        "secret recipient` prints it there, and whoever else must be able to read them. Their values change "
        "only by `reconciler secret encrypt`.",
        examples=[["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]],
    )
    deny_warnings: Annotated[tuple[WarningCode, ...], unnoticed()] = Field(
        default=(),
        max_length=32,
        description="Warnings that are errors for this site, by their codes, or `all`. `[W205]`: no password "
        "may stand in this file as plain text.",
        examples=[["W205"], ["all"]],
    )
    limits: Annotated[Limits, unnoticed()] = Field(
        default=Limits(),
        description="What subscribers' stations may ask for, so that none can harm the others.",
    )
    guard: Annotated[Guard, unnoticed()] = Field(
        default=Guard(),
        description="How much one edit may take away by itself. Past that it is held, and released only with "
        "`reconciler apply SITE --allow-guard PLAN-ID`. An edit is judged by the limits in force before it.",
    )
    second_login: Annotated[Literal["replace", "refuse"], unnoticed()] = Field(
        default="replace",
        description="What a login does when the user already has all their `sessions`: `replace` ends the "
        "oldest one, `refuse` refuses the login.",
    )
    on_remove: Annotated[Literal["terminate", "drain"], unnoticed()] = Field(
        default="terminate",
        description="What becomes of the sessions of a user who is removed or disabled: `terminate` ends "
        "them at once, `drain` lets them live until they end by themselves.",
    )
    on_password_change: Annotated[Literal["keep", "terminate"], unnoticed()] = Field(
        default="keep",
        description="What becomes of a user's sessions when their password changes: `keep` lets them live, "
        "`terminate` ends them, so that the user must log in with the new one.",
    )
