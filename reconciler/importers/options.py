"""pppd's options files: pppoe-server-options, options. See pppd(8).

What concerns the site goes into a draft; what every session has anyway is passed over; the rest is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from reconciler.importers.draft import Draft, methods
from reconciler.importers.words import Line, lines
from reconciler.site import values

_WAYS: Final = {
    "pap": "pap",
    "chap": "chap",
    "chap-md5": "chap",
    "mschap": "mschap",
    "mschap-v2": "mschapv2",
}

_AS_ALWAYS: Final = frozenset(
    [
        "auth",
        "lock",
        "nodetach",
        "noipdefault",
        "nodefaultroute",
        "nobsdcomp",
        "novj",
        "novjccomp",
        "noccp",
        "nodeflate",
        "nopcomp",
        "noaccomp",
        "default-asyncmap",
        "noipx",
        "nomppe",
        "hide-password",
        "logfile",
        "debug",
        "nodebug",
        "silent",
        "noipv6",
        "-vj",
        "-bsdcomp",
        "-ccp",
        "-am",
        "-detach",
        "+ccp-",
        "nolog",
        "persist",
        "nopersist",
        "linkname",
        "ipparam",
    ]
)
"""Options that say what is so here anyway, or how pppd itself behaves."""

_ARGUMENTS: Final = frozenset(
    [
        "logfile",
        "linkname",
        "ipparam",
        "name",
        "plugin",
        "idle",
        "maxconnect",
        "netmask",
        "asyncmap",
        "remotename",
        "domain",
        "ipcp-restart",
        "lcp-restart",
        "lcp-max-configure",
        "ip-up-script",
        "ip-down-script",
        "bsdcomp",
        "deflate",
        "child-timeout",
        "user",
        "password",
        "connect",
        "unit",
        "maxfail",
        "holdoff",
        "ms-dns",
        "ms-wins",
        "mtu",
        "mru",
        "lcp-echo-interval",
        "lcp-echo-failure",
    ]
)
"""Options that are followed by a value."""

_WHY: Final = {
    "noauth": "everybody has to log in here",
    "login": "there are no system accounts as users: declare them",
    "papcrypt": "encrypted secrets are of no use here: set a password for each user",
    "name": "the concentrator's name is `ac_name`",
    "plugin": "there are no plugins here",
    "require-mppe": "there is no encryption of packets here",
    "require-mppe-128": "there is no encryption of packets here",
    "require-eap": "EAP is not spoken here",
    "defaultroute": "the kernel's routes are not touched",
    "netmask": "a session has one address at each end",
    "+ipv6": "IPv6 is not offered here",
    "ipv6": "IPv6 is not offered here",
}


def take_options(draft: Draft, text: str, name: str) -> None:
    """Add what an options file says to a draft."""
    required: set[str] = set()
    refused: set[str] = set()
    for line in lines(text, name):
        for option, value in _options(line):
            prefix, _, way = option.partition("-")
            if prefix in {"require", "refuse"} and way in _WAYS:
                (required if prefix == "require" else refused).add(_WAYS[way])
            elif option == "refuse-eap":
                continue
            else:
                _take(draft, line.where, option, value)
    ways = methods(required, refused)
    if ways:
        draft.settings["auth"] = ways
    elif ways is not None:
        draft.note(name, "require and refuse", "no way to log in remains; the default is kept")


def _options(line: Line) -> Iterator[tuple[str, str]]:
    """Options with their values; several may share a line. What follows an unknown one may be its value,
    and a secret, and is passed over.
    """
    words = iter(line.words)
    for word in words:
        yield word, next(words, "") if word in _ARGUMENTS else ""
        if not _is_known(word):
            return


def _is_known(option: str) -> bool:
    known = option in _ARGUMENTS or option in _AS_ALWAYS or option in _TAKEN or option in _WHY
    return known or option.startswith(("require-", "refuse-"))


def _take(draft: Draft, where: str, option: str, value: str) -> None:
    take = _TAKEN.get(option)
    if take is not None:
        take(draft, where, value)
    elif option not in _AS_ALWAYS:
        shown = option if option == "password" else f"{option} {value}".strip()
        draft.note(where, shown, _WHY.get(option, "no such thing here"))


def _server(key: str) -> Callable[[Draft, str, str], None]:
    def take(draft: Draft, where: str, value: str) -> None:
        try:
            draft.extend(key, str(values.address(value)), where, at_most=2)
        except values.UnfitError as unfit:
            draft.note(where, f"{key}: {value}", unfit.message)

    return take


def _mtu(draft: Draft, where: str, value: str) -> None:
    size = draft.number(value, 576, 65535, where, f"mtu {value}")
    if size is None:
        return
    if size > 1492:
        draft.note(where, f"mtu {size}", "over Ethernet frames of 1500 octets it is 1492 (RFC 2516)")
    known = draft.settings.get("mtu")
    smaller = min(size, 1492, int(known) if isinstance(known, str) else 1492)
    draft.settings["mtu"] = str(smaller)


def _interval(draft: Draft, where: str, value: str) -> None:
    seconds = draft.number(value, 0, 3600, where, f"lcp-echo-interval {value}")
    if seconds is not None:
        draft.put("lcp_echo", "interval", str(seconds))


def _failures(draft: Draft, where: str, value: str) -> None:
    if value == "0":
        draft.note(
            where, "lcp-echo-failure 0", "silence always ends a session; `lcp_echo.interval: 0` asks none"
        )
        return
    count = draft.number(value, 1, 100, where, f"lcp-echo-failure {value}")
    if count is not None:
        draft.put("lcp_echo", "failures", str(count))


def _seconds(key: str) -> Callable[[Draft, str, str], None]:
    def take(draft: Draft, where: str, value: str) -> None:
        seconds = draft.number(value, 0, 31_536_000, where, f"{key} of {value}")
        if seconds is not None:
            draft.settings[key] = str(seconds)

    return take


def _proxyarp(draft: Draft, _where: str, _value: str) -> None:
    draft.put("forwarding", "proxy_arp", "true")


def _ktune(draft: Draft, _where: str, _value: str) -> None:
    draft.put("forwarding", "ip_forward", "true")


_TAKEN: Final[dict[str, Callable[[Draft, str, str], None]]] = {
    "ms-dns": _server("dns_servers"),
    "ms-wins": _server("wins_servers"),
    "mtu": _mtu,
    "mru": _mtu,
    "lcp-echo-interval": _interval,
    "lcp-echo-failure": _failures,
    "idle": _seconds("idle_timeout"),
    "maxconnect": _seconds("session_timeout"),
    "proxyarp": _proxyarp,
    "ktune": _ktune,
}
