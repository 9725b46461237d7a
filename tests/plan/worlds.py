"""States, sessions and policies for the planner's tests, by hand and by Hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from reconciler.plan.state import SessionRef, State, Value


@dataclass(frozen=True, slots=True)
class Choices:
    """What an operator chose to do with live sessions."""

    on_remove: str = "terminate"
    on_password_change: str = "keep"


GENTLE = Choices("drain", "keep")
DEFAULT = Choices()
HARSH = Choices("terminate", "terminate")


def user(
    password: str = "aa", *, ip: str | None = None, enabled: bool = True, sessions: int = 1
) -> dict[str, str | int | bool | None]:
    return {"password": password, "ip": ip, "enabled": enabled, "sessions": sessions}


def session(
    name: str | None, number: int, address: str | None = "10.0.0.2", **other: str | float
) -> SessionRef:
    since = float(other.get("since", number))
    return SessionRef(
        user=name,
        id=number,
        interface=str(other.get("interface", "eth1")),
        mac=f"02:00:00:00:00:{number % 256:02x}",
        address=address,
        since=since,
        uptime=float(other.get("uptime", 1000 - since)),
        generation=1,
    )


BASE: dict[str, Value] = {
    "users.theo": user(),
    "users.pablo": user("bb"),
    "interface.eth1": {},
    "interface.eth2": {},
    "ac_name": "SERVER",
    "service_names": [],
    "local_ip": "10.0.0.1",
    "pool_start": "10.0.0.2",
    "pool_size": 8,
    "dns_servers": ["1.1.1.1"],
    "wins_servers": [],
    "auth": ["chap", "pap"],
    "mtu": 1492,
    "lcp_echo.interval": 30,
    "lcp_echo.failures": 3,
    "limits.padi_per_mac": 10,
    "limits.lockout": 60,
    "second_login": "replace",
    "forwarding.ip_forward": True,
    "forwarding.proxy_arp.eth1": True,
    "kernel.address.10.0.0.1": {},
    "kernel.route.10.0.0.2/31": {},
}


def changed(**values: Value | None) -> dict[str, Value]:
    """The base state with other values; ``__`` stands for a dot, None removes."""
    state = dict(BASE)
    for key, value in values.items():
        path = key.replace("__", ".")
        if value is None:
            del state[path]
        else:
            state[path] = value
    return state


NAMES = ("theo", "pablo", "j.doe", "interface.x", "no", "\x1b[31m")
INTERFACES = ("eth1", "eth2.100")
_ADDRESSES = st.integers(1, 40).map(lambda host: f"10.0.0.{host}")
_USERS = st.fixed_dictionaries(
    {
        "password": st.sampled_from(["aa", "bb"]),
        "ip": st.none() | _ADDRESSES,
        "enabled": st.booleans(),
        "sessions": st.integers(1, 3),
    }
)


@st.composite
def states(draw: st.DrawFn) -> State:
    """A state in the vocabulary of ``plan.state``, complete in its settings."""
    state: dict[str, Value] = {
        f"users.{name}": draw(_USERS) for name in draw(st.sets(st.sampled_from(NAMES)))
    }
    for interface in sorted(draw(st.sets(st.sampled_from(INTERFACES)))):
        state[f"interface.{interface}"] = {}
        state[f"forwarding.proxy_arp.{interface}"] = draw(st.booleans())
    if draw(st.booleans()):
        state["forwarding.ip_forward"] = draw(st.booleans())
    state["local_ip"] = draw(st.sampled_from(["10.0.0.1", "10.1.0.1"]))
    state[f"kernel.address.{state['local_ip']}"] = {}
    state["pool_start"] = draw(_ADDRESSES)
    state["pool_size"] = draw(st.integers(1, 20))
    state["dns_servers"] = draw(st.sampled_from([[], ["1.1.1.1"], ["9.9.9.9", "1.1.1.1"]]))
    state["mtu"] = draw(st.sampled_from([1492, 1500]))
    state["ac_name"] = draw(st.sampled_from(["SERVER", "OTHER"]))
    state["lcp_echo.interval"] = draw(st.sampled_from([0, 30]))
    return state


@st.composite
def crowds(draw: st.DrawFn) -> tuple[SessionRef, ...]:
    """Live sessions, some of users whom no state knows, some that have not logged in."""
    facts = st.tuples(
        st.none() | st.sampled_from([*NAMES, "stranger"]),
        st.none() | _ADDRESSES,
        st.sampled_from(INTERFACES),
        st.integers(0, 5),
    )
    return tuple(
        session(name, number, address, interface=interface, since=since)
        for number, (name, address, interface, since) in enumerate(draw(st.lists(facts, max_size=12)), 1)
    )


policies = st.sampled_from([DEFAULT, GENTLE, HARSH])
