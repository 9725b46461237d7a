"""The words spoken on the engine's command socket: the only door between the two processes.

One JSON object a line, both ways. A request is ``{"id": n, "do": name, ...arguments}``; its answer ``{"id":
n, "ok": result}`` or ``{"id": n, "error": {"code": ..., "message": ...}}``. A long answer comes in parts,
lines ``{"id": n, "part": {...}}`` before the last one, between which the engine serves its subscribers.
After ``follow`` it also sends ``{"event": {...}}`` lines, unasked.

Shared by the engine's service and the reconciler's client; ``requests`` has what may be asked. This module
holds types and constants alone: it must not know how either side stores or applies what is said here.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

PROTOCOL = 4
"""Version of this protocol. Raised when a message changes in a way that an older peer would misread."""

SOCKET_NAME = "engine.sock"
"""The command socket's name inside the runtime directory."""

AuthMethod = Literal["mschapv2", "chap", "mschap", "pap"]
SessionState = Literal["establish", "authenticate", "network", "opened", "terminate"]
LoginResult = Literal["accepted", "refused"]
EventType = Literal["session_opened", "session_closed", "login_refused", "dial_failed"]


class Pool(TypedDict):
    """Addresses leased to users without a fixed one: ``size`` consecutive addresses from ``start``."""

    name: str
    start: str
    size: int


class Limits(TypedDict):
    """What clients may ask of us; 0 = no limit. ``padi_*`` a second, ``lockout`` in seconds at most."""

    padi_per_mac: int
    padi_total: int
    half_open: int
    failed_logins: int
    lockout: int


class Settings(TypedDict, total=False):
    """What holds for every new session. A ``configure`` request carries only the keys that change.

    ``rechallenge``: after how many seconds a subscriber who logged in by a challenge gets another (0 = none).
    ``mtu`` in octets; ``echo_interval`` in seconds (0 = no keepalive); ``echo_failures`` is how many
    unanswered Echo-Requests end a session. ``session_timeout`` and ``idle_timeout`` in seconds (0 = none).
    ``service_names`` empty = any service name is accepted. ``access_only``: what is not PPPoE is dropped on
    the interfaces; error ``failed`` when the data path cannot.
    """

    ac_name: str
    access_only: bool
    service_names: list[str]
    local_ip: str
    pools: list[Pool]
    dns_servers: list[str]
    wins_servers: list[str]
    auth: list[AuthMethod]
    rechallenge: int
    mtu: int
    echo_interval: int
    echo_failures: int
    session_timeout: int
    idle_timeout: int
    second_login: Literal["replace", "refuse"]
    limits: Limits


class Password(TypedDict):
    """The password itself: serves every login method."""

    kind: Literal["password"]
    text: str


class NtHash(TypedDict):
    """MD4 of the password in UTF-16, as 32 hexadecimal digits: serves MS-CHAP and PAP."""

    kind: Literal["nt_hash"]
    hash: str


class Scrypt(TypedDict):
    """scrypt of the password (RFC 7914), ``salt`` and ``key`` in hexadecimal: serves PAP."""

    kind: Literal["scrypt"]
    n: int
    r: int
    p: int
    salt: str
    key: str


Secret: TypeAlias = Password | NtHash | Scrypt
"""What is known of a user's password. It goes into the engine and never comes out."""


class Rate(TypedDict):
    """How fast packets may go to (``down``) and from a subscriber: bits a second, 0 = as fast as they can."""

    down: int
    up: int


class UserEntry(TypedDict):
    """A subscriber who may log in. ``fingerprint`` is opaque to the engine, which only gives it back.

    ``on_disable`` says what becomes of live sessions when ``enabled`` is false; left out: ``terminate``.
    ``on_password_change`` says it for when the fingerprint is another than before; left out: ``keep``.
    """

    name: str
    secret: Secret
    address: str | None
    enabled: bool
    sessions: int
    fingerprint: str
    rate: NotRequired[Rate]
    on_disable: NotRequired[Literal["terminate", "drain"]]
    on_password_change: NotRequired[Literal["keep", "terminate"]]


class RemovedUser(TypedDict):
    """A subscriber who may not log in any more, and what becomes of its live sessions."""

    name: str
    sessions: Literal["terminate", "drain"]


class UserView(TypedDict):
    """A subscriber as the engine shows it: never the password."""

    address: str | None
    enabled: bool
    sessions: int
    fingerprint: str
    rate: Rate


class ListenerView(TypedDict):
    """An interface being served. ``up`` is the administrative and carrier state."""

    interface: str
    ifindex: int
    mac: str
    mtu: int
    up: bool


class SessionView(TypedDict):
    """A live session. ``since`` is Unix time in seconds; ``uptime`` seconds; ``stale`` = its user or the
    settings have changed since it was set up, so that a re-dial would give it something else. ``circuit_id``
    and ``remote_id`` are what the access node says of the line (TR-101), as printable text. ``ending``: why
    a session that is in ``terminate`` is being ended, from whichever side.
    """

    user: str | None
    address: str | None
    peer: str | None
    mac: str
    id: int
    interface: str
    circuit_id: str | None
    remote_id: str | None
    state: SessionState
    since: float
    uptime: float
    generation: int
    stale: bool
    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int
    rate: Rate
    ending: NotRequired[str]


class SessionKey(TypedDict):
    interface: str
    mac: str
    id: int


class Gone(SessionKey):
    """A session that is over, and why; None: nobody had logged in."""

    reason: str | None


class Hello(TypedDict):
    """Answer to ``hello``."""

    protocol: int
    version: str
    pid: int
    datapath: str
    device: str | None
    """Network device on which subscribers' traffic appears (None: the null data path)."""
    via: str | None
    """The neighbour on that device through which subscribers are routed to (None: the device needs none)."""
    choice: str
    """Why it is this data path, in a few words."""


class Mark(TypedDict):
    """A moment in the life of one engine, by which it can tell what has changed since. Opaque to others."""

    engine: str
    users: int
    sessions: int


class Overview(TypedDict):
    """Answer to ``observe``, after its parts: what the engine is set to and what it is doing. ``whole``: the
    parts name all users and sessions, not only what has changed since. ``time`` is Unix time in seconds, by
    the clock of ``SessionView``.
    """

    generation: int
    settings: Settings
    listeners: dict[str, ListenerView]
    drops: dict[str, int]
    draining: float | None
    """How many sessions a second are being ended, while nobody is admitted."""
    journal_trouble: str
    """Why the engine's journal is behind, so that a restart would lose what is new; empty: it is not."""
    mark: Mark
    whole: bool
    time: float


class Part(TypedDict):
    """Some users and sessions. A user that is None is gone, and so are the sessions in ``gone``."""

    users: dict[str, UserView | None]
    sessions: list[SessionView]
    gone: list[Gone]


class Observation(Overview):
    """An overview together with its parts: everything. ``gone``: what is over since the moment from which on
    changes were asked for; nothing if it is ``whole``.
    """

    users: dict[str, UserView]
    sessions: list[SessionView]
    gone: list[Gone]


class Spread(TypedDict):
    """How long something took: ``counts`` has one more than ``bounds`` (upper ones, in seconds), for what
    took longer; ``sum`` is of all.
    """

    bounds: list[float]
    counts: list[int]
    sum: float


class LoginCount(TypedDict):
    """``reason`` is empty for the accepted ones."""

    method: str
    result: LoginResult
    reason: str
    count: int


class InterfaceCounts(TypedDict):
    """An interface being served. What was carried counts from when it was first served, or from the data
    path's start, and may begin at 0 again with either; ``rx`` came from subscribers.
    """

    up: bool
    sessions: int
    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int


class Counts(TypedDict):
    """Answer to ``counts``: how many sessions there are, and what happened since the engine was started.

    ``stale`` as in ``SessionView``; ``closed`` and ``failed`` are sessions that ended after and before a
    login, by reason; ``setup`` is from PADR to a session's addresses. Names no subscriber.
    """

    sessions: dict[SessionState, int]
    stale: int
    drops: dict[str, int]
    logins: list[LoginCount]
    closed: dict[str, int]
    failed: dict[str, int]
    setup: Spread
    interfaces: dict[str, InterfaceCounts]


class EventView(TypedDict):
    """Something that happened to a subscriber. ``time`` is Unix time in seconds.

    ``dial_failed``: a session ended before anybody had logged in, so that there is no ``user``. Numbers of
    octets and packets: what a session has carried, told when it closes.
    """

    time: float
    type: EventType
    user: str | None
    mac: str
    id: int
    interface: str
    circuit_id: str | None
    remote_id: str | None
    reason: str
    generation: int
    rx_bytes: NotRequired[int]
    tx_bytes: NotRequired[int]
    rx_packets: NotRequired[int]
    tx_packets: NotRequired[int]


class ErrorBody(TypedDict):
    code: Literal["bad_request", "unknown_request", "no_interface", "not_permitted", "failed"]
    message: str


class Answer(TypedDict):
    id: NotRequired[int]
    ok: NotRequired[object]
    part: NotRequired[Part]
    error: NotRequired[ErrorBody]
    event: NotRequired[EventView]
