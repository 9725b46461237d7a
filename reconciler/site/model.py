"""What an operator can declare in site.yaml: every key, its meaning, its limits, and what changing it costs.

The one source for the loader, the JSON schema, the reference documentation and the plan's impacts: the
description is the documentation, the ``OnChange`` beside a field is what becomes of live sessions. Rules
that take two fields to break live in ``site.checks``. This module must not know files, places in them, or
the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.site import values
from reconciler.site.impact import Effect, Impact, OnChange, Touch, later, unnoticed
from reconciler.site.kinds import (
    Address,
    Hash,
    Interface,
    Name,
    NtHash,
    Number,
    Password,
    Rate,
    Recipient,
    Sealed,
    Share,
    Truth,
    WarningCode,
    read,
)
from reconciler.site.secrets import Secret

_DRAIN: Final = {"terminate": Impact.DROP, "drain": Impact.LATER}
_KEEP: Final = {"keep": Impact.LATER, "terminate": Impact.DROP}
_SECRET: Final = OnChange.always(
    Effect(Impact.LATER, Touch.USER, "password", policy="on_password_change", choices=_KEEP)
)


def _one_or_more(value: object) -> object:
    """Lets a single value stand for a list of one."""
    return (value,) if isinstance(value, str) else value


AuthMethod = Literal["mschapv2", "chap", "mschap", "pap"]
Healing = Literal["on", "report", "off"]


class _Declared(BaseModel):
    """Immutable, refuses unknown keys, and never repeats its input in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuses a key beside which nothing is declared about changing it.

        :raises TypeError: which key of which table.
        """
        super().__pydantic_init_subclass__(**kwargs)
        for key, field in cls.model_fields.items():
            if not any(isinstance(note, OnChange) for note in field.metadata):
                raise TypeError(f"{cls.__name__}.{key}: what does a change of it do to live sessions?")


class RateLimit(_Declared):
    """How fast a subscriber's packets may go, each direction by itself: bits a second of IPv4 packets,
    without what PPPoE adds. A change counts at once, for live sessions too.
    """

    down: Annotated[Rate | None, unnoticed()] = Field(
        default=None, description="Towards the subscriber. Unset: no limit.", examples=["50M"]
    )
    up: Annotated[Rate | None, unnoticed()] = Field(
        default=None, description="From the subscriber. Unset: no limit.", examples=["10M"]
    )


class User(_Declared):
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
        OnChange(removed=Effect(Impact.DROP, Touch.USER, policy="on_remove", choices=_DRAIN)),
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


class Forwarding(_Declared):
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


class Nat(_Declared):
    """Address translation for subscribers (RFC 3022), by a table of nftables of our own."""

    masquerade: Annotated[tuple[Interface, ...], BeforeValidator(_one_or_more), unnoticed()] = Field(
        default=(),
        description="The interface, or a list of them, by which subscribers' packets leave under the "
        "interface's own address. That holds for the pool and for private addresses (RFC 1918, RFC 6598): a "
        "user with a public fixed address keeps it. Needs the program `nft` (Debian: nftables).",
        examples=["eth0", ["eth0", "ppp0"]],
    )


class SelfHeal(_Declared):
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


class LcpEcho(_Declared):
    """Keepalive by LCP Echo-Request (RFC 1661 §5.8): how a vanished subscriber is noticed."""

    interval: Annotated[Number, later(Touch.ALL, "keepalive")] = Field(
        default=30, ge=0, le=3600, description="Seconds between Echo-Requests; 0 sends none."
    )
    failures: Annotated[Number, later(Touch.ALL, "keepalive")] = Field(
        default=3, ge=1, le=100, description="Unanswered Echo-Requests in a row that end the session."
    )


class Limits(_Declared):
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


class Guard(_Declared):
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


class Site(_Declared):
    """An access concentrator: what it serves, to whom, and with which settings."""

    version: Annotated[Literal[1], read(values.whole_number), unnoticed()] = Field(
        description="The version of this file's format."
    )
    interface: Annotated[
        tuple[Interface, ...],
        BeforeValidator(_one_or_more),
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
            removed=Effect(Impact.DROP, Touch.USER, policy="on_remove", choices=_DRAIN),
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


def on_change(model: type[BaseModel], field: str) -> OnChange:
    """What is declared beside a field about changing it.

    :raises KeyError: no such field, or nothing is declared beside it.
    """
    for note in model.model_fields[field].metadata:
        if isinstance(note, OnChange):
            return note
    raise KeyError(field)
