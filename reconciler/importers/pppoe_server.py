"""rp-pppoe's pppoe-server: its command line. See pppoe-server(8)."""

from __future__ import annotations

import getopt
import shlex
from ipaddress import IPv4Address
from typing import Final

from reconciler.importers.draft import Draft
from reconciler.site import values

WHERE: Final = "command"

_OPTIONS: Final = "X:ix:hI:C:L:R:T:m:FN:f:O:o:skp:lrudDPc:S:1q:Q:g:M:"
_AS_ALWAYS: Final = frozenset(
    {"-F", "-s", "-k", "-r", "-u", "-d", "-D", "-X", "-q", "-Q", "-O", "-f", "-g", "-1"}
)
"""How pppoe-server itself runs; and the options file, which is read on its own."""
_WHY: Final = {
    "-T": "sessions end by LCP echo alone; see `lcp_echo`",
    "-m": "segments are made to fit `mtu`, see `clamp_mss`; another size cannot be asked for",
    "-x": "sessions are counted by user, not by station; see `users.*.sessions`",
    "-l": "there is one address at our end",
    "-p": "the pool is one range; see `pool_start` and `pool_size`",
    "-P": "the pool is one range; see `pool_start` and `pool_size`",
    "-i": "whoever finds the pool empty is refused at the login",
    "-o": "session ids are chosen at random",
    "-c": "the cookie's secret is made by the engine",
    "-M": "sessions are counted by user, not by station; see `users.*.sessions`",
}
_DEFAULTS: Final = {"-I": "eth0", "-L": "10.0.0.1", "-R": "10.67.15.1", "-N": "64"}


class NotThisCommandError(ValueError):
    """What was given is no command line of pppoe-server."""


def take_command(draft: Draft, command: str) -> None:
    """Add what a command line says to a draft.

    :raises NotThisCommandError: it is not one of pppoe-server, or does not make sense to it.
    """
    try:
        words = shlex.split(command)
        while words and words[0].rpartition("/")[2] != "pppoe-server":
            del words[0]
        if not words:
            raise NotThisCommandError("there is no `pppoe-server` in it")
        options, rest = getopt.getopt(words[1:], _OPTIONS)
    except (getopt.GetoptError, ValueError) as error:
        raise NotThisCommandError(str(error)) from None
    if rest:
        draft.note(WHERE, " ".join(rest), "pppoe-server takes no such words")
    given = dict(options)
    for option, default in _DEFAULTS.items():
        if option not in given:
            options.append((option, default))
            if option != "-N":
                draft.note(WHERE, option, f"not given: {default}, pppoe-server's default, is taken")
    numbers: dict[str, str] = {}
    for option, value in options:
        if option in {"-L", "-R", "-N"}:
            numbers[option] = value
        else:
            _take(draft, option, value)
    _pool(draft, numbers["-L"], numbers["-R"], numbers["-N"])


def _take(draft: Draft, option: str, value: str) -> None:
    try:
        if option == "-I":
            draft.extend("interface", values.interface(value), WHERE)
        elif option == "-C":
            draft.settings["ac_name"] = values.name(value)
        elif option == "-S":
            draft.extend("service_names", values.name(value), WHERE, at_most=32)
        elif option not in _AS_ALWAYS:
            draft.note(WHERE, f"{option} {value}".strip(), _WHY.get(option, "no such thing here"))
    except values.UnfitError as unfit:
        draft.note(WHERE, f"{option} {value}", unfit.message)


def _pool(draft: Draft, local: str, first: str, size: str) -> None:
    try:
        draft.settings["local_ip"] = str(values.address(local))
        start: IPv4Address = values.address(first)
    except values.UnfitError as unfit:
        draft.note(WHERE, f"-L {local} -R {first}", unfit.message)
        return
    count = draft.number(size, 1, 65534, WHERE, f"-N {size}")
    draft.pool(start, 64 if count is None else count, WHERE)
