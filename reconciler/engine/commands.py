"""What each request on the command socket means.

A request is checked whole before anything is changed, so a bad one changes nothing. Neighbours: ``service``
brings the requests; ``views`` makes the answers. It must not know sockets or how messages are framed.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any

from reconciler import __version__
from reconciler.engine import messages, observing, views
from reconciler.engine.access.config import Rate, User, packed
from reconciler.engine.access.effects import Key
from reconciler.engine.access.reasons import End
from reconciler.engine.access.secret import NtHash, Password, Scrypt
from reconciler.engine.datapath.base import PathError
from reconciler.engine.messages import PROTOCOL
from reconciler.engine.ppp.policy import AUTH_METHODS
from reconciler.engine.requests import ARGUMENTS
from reconciler.engine.typed import fits

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.engine.access.concentrator import Outcome
    from reconciler.engine.access.secret import Secret
    from reconciler.engine.host import Host
    from reconciler.engine.messages import ErrorBody, RemovedUser, SessionKey, UserEntry

    Arguments = dict[str, Any]

MTU = range(128, 1501)
LONGEST_NAME = 255
"""Octets of an AC-Name or Service-Name."""
FASTEST_DRAIN = 1e6
"""Sessions a second."""
_ADDRESSES = 1 << 32


class CommandError(Exception):
    """The request cannot be carried out; ``body`` is the answer."""

    def __init__(self, body: ErrorBody) -> None:
        super().__init__(body["message"])
        self.body = body


def run(host: Host, name: object, arguments: Arguments) -> object:
    """Carry out one request: its answer, or a generator that gives it in the end (``observing``). Raises
    ``CommandError``; then nothing was changed.
    """
    if not isinstance(name, str) or name not in _COMMANDS:
        raise CommandError({"code": "unknown_request", "message": "no such request"})
    try:
        if not fits(arguments, ARGUMENTS[name]):
            raise TypeError
        return _COMMANDS[name](host, arguments)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        kind = type(error).__name__  # not its text, which may quote a password
        raise CommandError({"code": "bad_request", "message": f"malformed {name} request ({kind})"}) from None


def _hello(host: Host, _arguments: Arguments) -> object:
    datapath = host.datapath
    return {
        "protocol": PROTOCOL,
        "version": __version__,
        "pid": os.getpid(),
        "datapath": datapath.name,
        "device": datapath.device,
        "via": datapath.via,
        "choice": host.datapath_choice,
    }


def _observe(host: Host, arguments: Arguments) -> object:
    return observing.observation(host, arguments.get("since"), traffic=arguments.get("traffic", True))


def _counts(host: Host, _arguments: Arguments) -> object:
    return observing.counts(host)


def _configure(host: Host, arguments: Arguments) -> object:
    config = host.concentrator.config.merged(arguments["settings"])
    valid = (
        0 < len(config.ac_name) <= LONGEST_NAME
        and all(len(name) <= LONGEST_NAME for name in config.service_names)
        and all(pool.size >= 0 and pool.start + pool.size <= _ADDRESSES for pool in config.pools)
        and config.mtu in MTU
        and bool(config.auth)
        and all(method in AUTH_METHODS for method in config.auth)
        and config.rechallenge >= 0
        and config.echo_interval >= 0
        and config.echo_failures >= 1
        and min(config.session_timeout, config.idle_timeout) >= 0
        and min(asdict(config.limits).values()) >= 0
    )
    if not valid:
        raise ValueError
    try:
        host.datapath.restrict(config.access_only)
        host.datapath.accept(config.mtu)
    except PathError as error:
        raise CommandError({"code": "failed", "message": str(error)}) from None
    host.concentrator.configure(config, int(arguments["generation"]))
    _write_down(host)
    return {}


def _write_down(host: Host) -> None:
    """The settings and the generation, so that the next engine has them."""
    host.chronicle.settings(host.concentrator)
    host.chronicle.commit()


def _users(host: Host, arguments: Arguments) -> object:
    put = [user(entry) for entry in arguments["put"]]
    remove = [_removal(entry) for entry in arguments["remove"]]
    outcome = host.concentrator.change_users(put, remove, int(arguments["generation"]), monotonic())
    host.chronicle.users(arguments["put"], arguments["remove"])
    host.chronicle.settings(host.concentrator)
    # Together with the ends of their sessions: no restart may bring back who was revoked.
    ended = _ended(host, outcome)
    host.chronicle.commit()
    return ended


def user(entry: UserEntry) -> User:
    """The user of an entry. Raises ``KeyError``, ``TypeError`` or ``ValueError`` when it is none."""
    address = entry["address"]
    on_disable = entry.get("on_disable", "terminate")
    on_change = entry.get("on_password_change", "keep")
    if entry["sessions"] < 1 or not entry["name"]:
        raise ValueError
    if on_disable not in ("terminate", "drain") or on_change not in ("keep", "terminate"):
        raise ValueError
    return User(
        name=entry["name"].encode(),
        secret=_secret(entry["secret"]),
        address=None if address is None else packed(address),
        enabled=bool(entry["enabled"]),
        sessions=entry["sessions"],
        fingerprint=entry["fingerprint"],
        drains=on_disable == "drain",
        renews=on_change == "terminate",
        rate=_rate(entry.get("rate", messages.Rate(down=0, up=0))),
    )


def _rate(entry: messages.Rate) -> Rate:
    if min(entry["down"], entry["up"]) < 0:
        raise ValueError
    return Rate(entry["down"], entry["up"])


def _secret(entry: messages.Secret) -> Secret:
    match entry["kind"]:
        case "password" if entry["text"]:
            return Password(entry["text"].encode())
        case "nt_hash":
            return NtHash(bytes.fromhex(entry["hash"]))
        case "scrypt":
            octets = bytes.fromhex
            return Scrypt(entry["n"], entry["r"], entry["p"], octets(entry["salt"]), octets(entry["key"]))
    raise ValueError


def _removal(entry: RemovedUser) -> tuple[bytes, bool]:
    if entry["sessions"] not in ("terminate", "drain"):
        raise ValueError
    return entry["name"].encode(), entry["sessions"] == "terminate"


def _listen(host: Host, arguments: Arguments) -> object:
    name = str(arguments["interface"])
    try:
        here = host.listen(name, int(arguments["generation"])).interface
    except PermissionError:
        message = "not allowed to open a packet socket: run as root, or with CAP_NET_RAW"
        raise CommandError({"code": "not_permitted", "message": message}) from None
    except PathError as error:
        raise CommandError({"code": "failed", "message": str(error)}) from None
    except OSError:
        raise CommandError({"code": "no_interface", "message": f"interface {name} is not there"}) from None
    _write_down(host)
    return views.listener_view(here)


def _unlisten(host: Host, arguments: Arguments) -> object:
    host.concentrator.generation = int(arguments["generation"])
    outcome = host.unlisten(str(arguments["interface"]), End.INTERFACE_REMOVED)
    _write_down(host)
    return {"ended": [views.key_view(key) for key in outcome.ended]}


def _terminate(host: Host, arguments: Arguments) -> object:
    keys = [_key(entry) for entry in arguments["sessions"]]
    return _ended(host, host.concentrator.terminate(keys, str(arguments["reason"]), monotonic()))


def _key(entry: SessionKey) -> Key:
    return Key(entry["interface"], (), bytes.fromhex(entry["mac"].replace(":", "")), int(entry["id"]))


def _drain(host: Host, arguments: Arguments) -> object:
    rate = arguments["rate"]
    if rate is not None and not 0 < rate < FASTEST_DRAIN:
        raise ValueError
    host.drain(rate)
    return {}


def _shutdown(host: Host, _arguments: Arguments) -> object:
    host.stop()
    return {}


def _ended(host: Host, outcome: Outcome) -> object:
    host.perform(outcome.effects)
    return {"ended": [views.key_view(key) for key in outcome.ended]}


_COMMANDS: dict[str, Callable[[Host, Arguments], object]] = {
    "hello": _hello,
    "observe": _observe,
    "counts": _counts,
    "configure": _configure,
    "users": _users,
    "listen": _listen,
    "unlisten": _unlisten,
    "terminate": _terminate,
    "drain": _drain,
    "shutdown": _shutdown,
}
