"""Why a frame was not acted upon: the one list of reasons, each counted and documented.

Neighbours: every room of the engine names its drops from here; metrics and docs list them from here.
"""

from __future__ import annotations

from reconciler.engine.wire.documented import Documented


class Drop(Documented):
    """A counted reason; its text is the value of the metric's ``reason`` label."""

    TRUNCATED = "truncated", "shorter than the headers it must have, or its length field runs past its end"
    PPPOE_VERSION = "pppoe_version", "the PPPoE header's VER or TYPE is not 1"
    TAG_OVERRUN = "tag_overrun", "a discovery tag runs past the end of its packet"
    END_OF_LIST = "end_of_list", "an End-Of-List tag that has a value"
    PPP_PROTOCOL = "ppp_protocol", "not a whole PPP protocol number (a compressed field, or HDLC's ff 03)"
    OPTION_LENGTH = (
        "option_length",
        "a configuration option shorter than its header or past its packet",
    )
    PPP_PHASE = "ppp_phase", "a PPP protocol or code that has no place in the link's present phase"
    PPP_DATA = "ppp_data", "a subscriber's data packet on the control path: the data path carries those"
    UNEXPECTED_REPLY = "unexpected_reply", "an Ack, Nak or Reject of nothing that we are asking"
    ALTERED_REPLY = "altered_reply", "an Ack or Reject that does not repeat what we asked, or an empty Nak"
    FOREIGN_MAGIC = "foreign_magic", "an Echo packet with neither side's Magic-Number"
    STALE_ECHO = "stale_echo", "an Echo-Reply to another request than our last"
    AUTH_FORM = "auth_form", "a login whose inner lengths are wrong"
    AUTH_CODE = "auth_code", "a PAP or CHAP packet that only an authenticator may send"
    STALE_RESPONSE = "stale_response", "a CHAP Response to another challenge than our last"
    REJECT_RATE = "reject_rate", "unknown protocols faster than Protocol-Rejects are sent"
    NOT_FOR_US = "not_for_us", "addressed to another station, or a request that may not be broadcast"
    BAD_SOURCE = "bad_source", "its source address is our own, all zero, or a group's"
    BAD_CODE = "bad_code", "a PPPoE code that an access concentrator does not take here"
    ROGUE_AC = "rogue_ac", "an offer or a confirmation: another access concentrator answers on this interface"
    BAD_SESSION_ID = "bad_session_id", "a session id that this packet may not carry"
    SERVICE_NAME = "service_name", "a PADI without exactly one Service-Name"
    UNKNOWN_SERVICE = "unknown_service", "a PADI for a service that is not offered here"
    RELAY_TAGS = "relay_tags", "two different Relay-Session-Id tags"
    OVERSIZED = "oversized", "a PADI or PADR larger than RFC 2516 allows, or one whose answer would not fit"
    BAD_COOKIE = "bad_cookie", "a PADR whose AC-Cookie is missing, old, or was given to someone else"
    LATE_PADR = "late_padr", "a repeated PADR for a session that has already logged in"
    PADI_RATE = "padi_rate", "PADIs of this client, or of all, faster than the limit"
    PADR_RATE = "padr_rate", "PADRs of this client that begin sessions, faster than the limit for its PADIs"
    LOGIN_QUEUE = "login_queue", "a login that found no room among those waiting to be checked against a hash"
    LOCKED_OUT = "locked_out", "a client that has to wait after too many failed logins"
    NO_USERS = "no_users", "a request for a new session before the engine was told a single user"
    STOPPING = "stopping", "a request for a new session while every session is being ended"
    UNKNOWN_SESSION = "unknown_session", "for a session that does not exist"
    FOREIGN_SESSION = "foreign_session", "another session's id with the wrong MAC address, VLAN or interface"
    TRUNCATED_DATA = "truncated_data", "a data packet that is not as long as it says (counted by `ebpf`)"
    DATA_PROTOCOL = "data_protocol", "a data packet that is not IPv4 (counted by `ebpf`)"
    SPOOFED = "spoofed", "a subscriber's packet with another's source address (counted by `ebpf`)"
    STRAY = "stray", "a data packet of a session that does not exist; some senders are told (`ebpf`)"
    NOT_PPPOE = "not_pppoe", "no PPPoE, on an interface that is for PPPoE alone (`access_only`)"
    NO_SESSION = "no_session", "a packet for a subscriber's address that no session has (counted by `ebpf`)"
    TOO_BIG = "too_big", "a packet for a subscriber that its session cannot take, and the kernel did not cut"
    UNSEGMENTED = "unsegmented", "several segments in one packet, which the kernel should have taken apart"
    QUEUE_FULL = "queue_full", "a frame that came faster than the engine reads: it never saw it"
    SEND_FAILED = "send_failed", "a frame of ours that could not be sent: the interface is down or full"
    INTERNAL_ERROR = "internal_error", "a frame that met a bug of ours, which ended its session"


class Malformed(Exception):  # noqa: N818 - it says what the bytes are, not that we failed
    """Raised by decoders, and only by them: these bytes cannot be what they claim to be."""

    def __init__(self, reason: Drop) -> None:
        super().__init__(reason.doc)
        self.reason = reason
