"""Why sessions end and logins are refused: the words that events carry, each explained.

A link's own reasons are ``ppp.outputs.Reason``; these are the concentrator's. Documentation lists both from
here.
"""

from __future__ import annotations

from reconciler.engine.wire.documented import Documented


class End(Documented):
    """Why a session was ended, when it was not its link that finished."""

    PADT_RECEIVED = "padt_received", "the subscriber hung up (PADT)"
    USER_REMOVED = "user_removed", "the user was removed"
    USER_DISABLED = "user_disabled", "the user was disabled"
    PASSWORD_CHANGED = "password_changed", "the user's password is another now"
    SESSIONS_LOWERED = "sessions_lowered", "the user may have fewer sessions now, and this was the oldest"
    SESSION_TIMEOUT = "session_timeout", "it had lasted as long as a session may"
    IDLE_TIMEOUT = "idle_timeout", "it had carried no packet for as long as a session may"
    REPLACED = "replaced", "the user logged in again and may not have more sessions"
    INTERFACE_REMOVED = "interface_removed", "the interface is no longer served"
    INTERFACE_LOST = "interface_lost", "the interface was removed from the machine, or replaced"
    INTERFACE_DOWN = "interface_down", "the interface was set down"
    HALF_OPEN_LIMIT = "half_open_limit", "the client began too many sessions without logging in"
    DRAINED = "drained", "the operator has every session ended"
    SHUTDOWN = "shutdown", "the engine was told to stop"
    INTERNAL_ERROR = "internal_error", "a bug of ours; the engine's log says where"


class Refusal(Documented):
    """Why a login was refused. Subscribers are not told which."""

    UNKNOWN_USER = "unknown_user", "no such user"
    WRONG_PASSWORD = "wrong_password", "the password is wrong"
    METHOD_UNSERVED = (
        "method_unserved",
        "the user's password is kept as a hash, which cannot serve the method of this login",
    )
    USER_DISABLED = "user_disabled", "the user is disabled"
    TOO_MANY_SESSIONS = "too_many_sessions", "the user has all its sessions, and second_login is refuse"
    LOCKED_OUT = "locked_out", "too many failed logins of this client, or with this name, a moment ago"
    OTHER_USER = "other_user", "asked again who it is, the subscriber came as another user"
    BUSY = "busy", "more logins were waiting to be checked against a hash than there is room for"
    NO_ADDRESS = "no_address", "the pool is used up, or the user's fixed address is in use"
