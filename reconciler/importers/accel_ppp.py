"""accel-ppp's accel-ppp.conf, as far as it concerns PPPoE. See accel-ppp.conf(5).

Users are in its chap-secrets file (``importers.logins``); those behind RADIUS are in no file and are noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Final, NamedTuple

from reconciler.importers.draft import AUTH, Draft
from reconciler.site import values


class Entry(NamedTuple):
    """One line of a section; ``value`` is empty for a bare word."""

    where: str
    section: str
    key: str
    value: str


_MODULES: Final = {
    "auth_mschap_v2": "mschapv2",
    "auth_chap_md5": "chap",
    "auth_mschap_v1": "mschap",
    "auth_pap": "pap",
}
_MODULES_AS_ALWAYS: Final = frozenset(
    {"pppoe", "chap-secrets", "ippool", "log_file", "log_syslog", "log_tcp"}
)
_MODULE_WHY: Final = {
    "radius": "users are declared in site.yaml: export those of the RADIUS server",
    "shaper": "each user has a `rate_limit` of its own here: give it by hand",
    "ipv6_nd": "IPv6 is not offered here",
    "ipv6_dhcp": "IPv6 is not offered here",
    "ipv6pool": "IPv6 is not offered here",
    "pptp": "only PPPoE is spoken here",
    "l2tp": "only PPPoE is spoken here",
    "sstp": "only PPPoE is spoken here",
    "ipoe": "only PPPoE is spoken here",
}
_SECTIONS_AS_ALWAYS: Final = frozenset({"core", "log", "log-pgsql", "cli", "connlimit", "client-ip-range"})
"""How accel-ppp itself runs."""
_KEYS_AS_ALWAYS: Final = frozenset(
    {
        ("ppp", "verbose"),
        ("pppoe", "verbose"),
        ("ppp", "min-mtu"),
        ("ppp", "ipv4"),
        ("ppp", "accomp"),
        ("ppp", "pcomp"),
        ("ppp", "ccp"),
        ("chap-secrets", "chap-secrets"),
        ("ppp", "unit-cache"),
    }
)


def take_conf(draft: Draft, text: str, name: str) -> None:
    """Add what an accel-ppp.conf says to a draft."""
    entries = list(_entries(text, name))
    ways = {_MODULES[entry.key] for entry in entries if entry.section == "modules" and entry.key in _MODULES}
    if ways:
        draft.settings["auth"] = [way for way in AUTH if way in ways]
    ranges = []
    for entry in entries:
        if entry.section == "ip-pool" and not entry.key.startswith(("gw-ip-address", "attr", "vendor")):
            ranges.append(entry)
        elif entry.section == "modules":
            _module(draft, entry)
        else:
            _take(draft, entry)
    for entry in ranges[:1]:
        _pool(draft, entry)
    for entry in ranges[1:]:
        draft.note(entry.where, f"the range {entry.key}", "the pool is one range; the first one is taken")


def _entries(text: str, name: str) -> Iterator[Entry]:
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif line:
            key, _, value = line.partition("=")
            yield Entry(f"{name}:{number}", section, key.strip(), value.strip())


def _module(draft: Draft, entry: Entry) -> None:
    if entry.key not in _MODULES and entry.key not in _MODULES_AS_ALWAYS:
        draft.note(entry.where, f"module {entry.key}", _MODULE_WHY.get(entry.key, "no such thing here"))


def _take(draft: Draft, entry: Entry) -> None:
    take = _TAKEN.get((entry.section, entry.key))
    if take is not None:
        try:
            take(draft, entry)
        except values.UnfitError as unfit:
            draft.note(entry.where, f"{entry.key} in [{entry.section}]", unfit.message)
    elif entry.section not in _SECTIONS_AS_ALWAYS and (entry.section, entry.key) not in _KEYS_AS_ALWAYS:
        # The value is not shown: it may be the secret of a RADIUS server.
        draft.note(entry.where, f"{entry.key} in [{entry.section}]", "no such thing here")


def _pool(draft: Draft, entry: Entry) -> None:
    """``10.0.0.2-254``, ``10.0.0.2-10.0.1.5`` or ``10.0.0.0/24``, with options behind commas."""
    text = entry.key.partition(",")[0].strip()
    if text != entry.key or entry.value:
        draft.note(entry.where, "options of the range", "the pool has no name and no owner")
    try:
        first, last = _bounds(text)
        size = int(last) - int(first) + 1
        if size < 1:
            raise ValueError("it ends before it begins")
    except ValueError:
        draft.note(entry.where, "the range", "not one that can be read")
        return
    draft.pool(first, size, entry.where)


def _bounds(text: str) -> tuple[IPv4Address, IPv4Address]:
    if "/" in text:
        network = IPv4Network(text, strict=False)
        if network.prefixlen >= 31:
            return network[0], network[-1]
        return network[1], network[-2]
    begin, _, end = text.partition("-")
    first = IPv4Address(begin.strip())
    last = end.strip() or begin.strip()
    return first, IPv4Address(last if "." in last else f"{begin.rpartition('.')[0]}.{last}")


def _interface(draft: Draft, entry: Entry) -> None:
    name, *options = entry.value.split(",")
    if name.startswith("re:"):
        draft.note(entry.where, f"interfaces {name}", "interfaces are named one by one; left out")
        return
    draft.extend("interface", values.interface(name.strip()), entry.where)
    if options:
        draft.note(entry.where, f"options of interface {name}", "there are none for single interfaces")


def _name(draft: Draft, entry: Entry) -> None:
    draft.settings["ac_name"] = values.name(entry.value)


def _services(draft: Draft, entry: Entry) -> None:
    for name in entry.value.split(","):
        draft.extend("service_names", values.name(name.strip()), entry.where, at_most=32)


def _local(draft: Draft, entry: Entry) -> None:
    draft.settings["local_ip"] = str(values.address(entry.value.partition("/")[0]))


def _server(key: str) -> Callable[[Draft, Entry], None]:
    return lambda draft, entry: draft.extend(key, str(values.address(entry.value)), entry.where, at_most=2)


def _mtu(draft: Draft, entry: Entry) -> None:
    size = draft.number(entry.value, 576, 1500, entry.where, entry.key)
    if size is not None:
        draft.settings["mtu"] = str(size)


def _number(table: str, key: str, low: int, high: int) -> Callable[[Draft, Entry], None]:
    def take(draft: Draft, entry: Entry) -> None:
        number = draft.number(entry.value, low, high, entry.where, entry.key)
        if number is not None:
            draft.put(table, key, str(number))

    return take


def _single(draft: Draft, entry: Entry) -> None:
    if entry.value in {"replace", "deny"}:
        draft.settings["second_login"] = "replace" if entry.value == "replace" else "refuse"
    else:
        draft.note(entry.where, "single-session", "it is `replace` or `refuse` here")


_TAKEN: Final[dict[tuple[str, str], Callable[[Draft, Entry], None]]] = {
    ("pppoe", "interface"): _interface,
    ("pppoe", "ac-name"): _name,
    ("pppoe", "service-name"): _services,
    ("pppoe", "padi-limit"): _number("limits", "padi_total", 0, 1_000_000),
    ("ip-pool", "gw-ip-address"): _local,
    ("chap-secrets", "gw-ip-address"): _local,
    ("dns", "dns1"): _server("dns_servers"),
    ("dns", "dns2"): _server("dns_servers"),
    ("wins", "wins1"): _server("wins_servers"),
    ("wins", "wins2"): _server("wins_servers"),
    ("ppp", "mtu"): _mtu,
    ("ppp", "lcp-echo-interval"): _number("lcp_echo", "interval", 0, 3600),
    ("ppp", "lcp-echo-failure"): _number("lcp_echo", "failures", 1, 100),
    ("lcp", "echo-interval"): _number("lcp_echo", "interval", 0, 3600),
    ("lcp", "echo-failure"): _number("lcp_echo", "failures", 1, 100),
    ("common", "single-session"): _single,
    ("ppp", "single-session"): _single,
}
