"""What the words in a subscriber's events mean, what to do about each, and what Windows shows there.

Data alone: every word that the engine or the reconciler can give as a reason, once. A test compares it with
the engine's own lists. Neighbours: ``why`` composes accounts from it; ``docs/reference/reasons.md`` is made
from it. It must not know who a subscriber is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

WINDOWS: Mapping[int, str] = {
    619: "the port is disconnected",
    629: "the connection was closed by the remote computer",
    651: "the modem or other connecting device reports an error: nobody answers (since Windows Vista)",
    678: "there is no answer (up to Windows XP)",
    691: "access was denied: wrong user name or password",
    718: "timed out waiting for an answer of the remote computer",
    720: "no PPP control protocols are configured: no network protocol could be agreed on",
    732: "the PPP negotiation does not converge",
    734: "the PPP link control protocol was terminated",
    735: "the address that was asked for was rejected by the server",
    737: "a loopback was detected",
    815: "the server does not answer; the service name may be wrong (since Windows Vista)",
    919: "the server's authentication protocol does not match the settings of the connection",
}
"""The error numbers of Windows' dialler, by the meanings in its documentation (raserror.h, mprerror.h)."""


class Explanation(NamedTuple):
    """``says`` goes on after "closed: "; ``advice`` has ``{user}``, ``{mac}`` and ``{interface}`` to be
    filled in, and is empty where there is nothing to be done; ``windows`` has the likeliest number first, and
    none where the subscriber sees no error.
    """

    says: str
    advice: str = ""
    windows: tuple[int, ...] = ()


UNANSWERED = (651, 678, 815)
"""What a subscriber sees whose calls nobody answers."""

_CLOSED = (629,)
_GAVE_UP = (619, 629)
_LOOK_AT_LINE = "look at the line: `reconciler trace --mac {mac}` shows what still arrives"

REFUSED: Mapping[str, Explanation] = {
    "unknown_user": Explanation(
        "there is no user of this name",
        "correct the name on the subscriber's side (capitals count), or add the user to site.yaml",
        (691,),
    ),
    "wrong_password": Explanation(
        "the password is wrong",
        "type the password again on the subscriber's side, or give the user another in site.yaml",
        (691,),
    ),
    "method_unserved": Explanation(
        "the subscriber logged in by a method for which a hash of the password is not enough",
        "offer the methods alone that the hash serves, as `reconciler validate` says, or give the password",
        (691,),
    ),
    "user_disabled": Explanation(
        "the user is disabled", "set `enabled: true` for the user in site.yaml", (691,)
    ),
    "too_many_sessions": Explanation(
        "the user is online already, as often as it may be",
        "end the other session (`reconciler sessions terminate {user}`), raise the user's `sessions`, or let"
        " the newer login win with `second_login: replace`",
        (691,),
    ),
    "locked_out": Explanation(
        "too many failed logins just before, so that not even the right password was looked at",
        "correct the password and wait a minute; saving a change of the user in site.yaml ends the wait",
        (691, *UNANSWERED),
    ),
    "other_user": Explanation(
        "asked again who it is, the subscriber came as another user",
        "look for two devices behind one that share a line, or for a user name that was changed",
        (691,),
    ),
    "busy": Explanation(
        "too many logins were waiting for their password to be checked against a hash",
        "dial again; where it comes often, make hashes that take less to check, or give passwords instead",
        (691,),
    ),
    "no_address": Explanation(
        "there was no address to give: the pool is used up, or the user's fixed address is in use",
        "raise `pool_size`, or see with `reconciler sessions` who has the address",
        (691,),
    ),
}
"""Reasons in ``login_refused`` events."""

ENDED: Mapping[str, Explanation] = {
    "padt_received": Explanation("the subscriber hung up"),
    "peer_terminated": Explanation("the subscriber hung up"),
    "user_removed": Explanation(
        "the user was taken out of site.yaml", "put the user back if that was a mistake", _CLOSED
    ),
    "user_disabled": Explanation("the user was disabled", "set `enabled: true` in site.yaml", _CLOSED),
    "sessions_lowered": Explanation(
        "the user may have fewer sessions than before, and this was the oldest",
        "raise the user's `sessions` in site.yaml if that was a mistake",
        _CLOSED,
    ),
    "session_timeout": Explanation(
        "it had lasted as long as `session_timeout` allows", "dial again; that is all there is to it", _CLOSED
    ),
    "idle_timeout": Explanation(
        "nothing had come or gone for as long as `idle_timeout` allows",
        "dial again, or raise `idle_timeout` in site.yaml",
        _CLOSED,
    ),
    "password_changed": Explanation(
        "the user's password was changed", "dial again with the new password", _CLOSED
    ),
    "replaced": Explanation(
        "the same user logged in again, and may not have more sessions",
        "when this comes again and again, two devices use one login: give each a user of its own, or raise"
        " the user's `sessions`",
        _CLOSED,
    ),
    "terminated_by_operator": Explanation("an operator ended it", "dial again", _CLOSED),
    "interface_removed": Explanation(
        "its interface is no longer served",
        "put the interface back into site.yaml if that was a mistake",
        (*_CLOSED, *UNANSWERED),
    ),
    "interface_lost": Explanation(
        "its interface was removed from the machine, or replaced",
        "plug the adapter in again: it is served as soon as it is there",
        (*_CLOSED, *UNANSWERED),
    ),
    "interface_down": Explanation(
        "its interface was set down", "set it up: `ip link set {interface} up`", (*_CLOSED, *UNANSWERED)
    ),
    "half_open_limit": Explanation(
        "the subscriber began one session after another without logging in",
        _LOOK_AT_LINE + "; perhaps our answers do not reach the subscriber",
        _GAVE_UP,
    ),
    "drained": Explanation(
        "an operator had every session ended, and nobody was let in",
        "let subscribers in again with `reconciler drain --undo`",
        (*_CLOSED, *UNANSWERED),
    ),
    "shutdown": Explanation(
        "the engine was told to stop", "start it: `reconciler run site.yaml`", (*_CLOSED, *UNANSWERED)
    ),
    "internal_error": Explanation(
        "a bug of ours ended it", "look into the engine's log, and report what it says", _CLOSED
    ),
    "no_response": Explanation(
        "the subscriber asked for a session and then did not speak PPP",
        _LOOK_AT_LINE + "; a switch or modem that drops EtherType 0x8864 looks like this",
        (718,),
    ),
    "lcp_timeout": Explanation(
        "the two sides went on and on without agreeing on the link's options",
        _LOOK_AT_LINE + ", and which option is refused again and again",
        (732, 734),
    ),
    "loopback": Explanation(
        "the line returns our own packets", "look for a loop in the cabling or on a switch", (737,)
    ),
    "auth_refused": Explanation(
        "the subscriber can do none of the authentication methods that are offered",
        "allow one of the methods of `auth` in the subscriber's settings, or add one of its own to `auth`",
        (919, 734),
    ),
    "auth_failed": Explanation("the login was refused", "see the refusal just before for what to do", (691,)),
    "auth_timeout": Explanation(
        "the subscriber did not send a name and password in time", _LOOK_AT_LINE, (718,)
    ),
    "address_refused": Explanation(
        "the subscriber did not take the address that it was given",
        'set the subscriber to get its address by itself (DHCP, "obtain an IP address automatically"), or'
        " give the user that address as `ip` in site.yaml",
        (735, 720),
    ),
    "network_timeout": Explanation(
        "the login was right, but no network protocol came up",
        "turn on IPv4 (TCP/IP) in the subscriber's connection",
        (720, 718),
    ),
    "protocol_rejected": Explanation(
        "the subscriber rejects a part of PPP without which there is no link",
        _LOOK_AT_LINE + ", and what is rejected",
        (720, 734),
    ),
    "echo_timeout": Explanation(
        "the subscriber no longer answered", "look at the line: power, cable, radio, switch", _CLOSED
    ),
}
"""Reasons in ``session_closed`` and ``dial_failed`` events."""

FAILED_IN: Mapping[str, tuple[int, ...]] = {
    "discovery": UNANSWERED,
    "link": (718, 734),
    "authentication": (691,),
    "network": (720, 718),
    "open": (629,),
}
"""What Windows shows by the phase in which a call fails, for who was on the subscriber's side of it."""

IGNORED: Mapping[str, str] = {
    "locked_out": "from a client that has to wait after too many failed logins",
    "padi_rate": "too many in a second",
    "unknown_service": "for a service name that is not in `service_names`",
    "service_name": "without exactly one service name",
    "bad_cookie": "with an offer that was not ours, or too old",
    "oversized": "too large",
    "stopping": "while the engine was stopping",
}
"""Reasons for which a call gets no answer at all, and leaves no event but a count of the engine's."""

ROGUE = "rogue_ac"
"""The count of answers by another access concentrator on our interfaces."""


def explanation(kind: str, reason: str) -> Explanation:
    """Of an event's type and reason; a reason that nobody has told us of explains itself."""
    known = (REFUSED if kind == "login_refused" else ENDED).get(reason)
    return known or Explanation(reason.replace("_", " "))
