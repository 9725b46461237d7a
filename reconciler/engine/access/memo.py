"""A session as something to be written down: enough to go on with it in another process.

Plain JSON-ready values. Only sessions that carry packets are worth it: one that is still dialling dials
again. Neighbours: ``chronicle`` keeps them, and ``restore`` has ``concentrator`` go on with what they say. It
must not know where they are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.engine.access.config import UNLIMITED, Rate, User
from reconciler.engine.access.effects import Key
from reconciler.engine.access.line import Line
from reconciler.engine.access.secret import Password
from reconciler.engine.ppp.link import Agreed, Grant

if TYPE_CHECKING:
    from reconciler.engine.access.session import Session

Memo = dict[str, Any]


class Recalled(NamedTuple):
    """A memo understood. ``started`` is monotonic seconds, of the same boot; ``user`` is who logged in, as of
    then.
    """

    key: Key
    started: float
    generation: int
    signature: tuple[bytes, bytes | None]
    line: Line
    mru: int
    user: User
    address: int
    agreed: Agreed


def name(key: Key) -> str:
    """A session's name among memos."""
    vlans = "".join(f".{tpid:04x}:{tci:04x}" for tpid, tci in key.vlans)
    return f"{key.interface}{vlans}/{key.mac.hex()}/{key.id}"


def of(session: Session) -> Memo | None:
    """What to write down about a session; None while it carries no packets."""
    agreed = session.link.agreed()
    if agreed is None or session.user is None or session.address is None or not session.logged_in:
        return None
    key, user, grant = session.key, session.user, agreed.grant
    cookie, unique = session.signature
    return {
        "interface": key.interface,
        "vlans": key.vlans,
        "mac": key.mac.hex(),
        "id": key.id,
        "started": session.started,
        "generation": session.generation,
        "signature": [cookie.hex(), None if unique is None else unique.hex()],
        "line": [known.hex() for known in session.line],
        "mru": session.mru,
        "user": user.name.decode(),
        "fingerprint": user.fingerprint,
        "fixed": None if user.address is None else user.address.hex(),
        "rate": user.rate,
        "address": session.address,
        "auth": agreed.auth,
        "magics": [agreed.magic.hex(), agreed.peer_magic.hex()],
        "mtu": agreed.mtu,
        "grant": [grant.address.hex(), grant.peer.hex()],
        "dns": [server.hex() for server in grant.dns],
        "wins": [server.hex() for server in grant.wins],
    }


def read(memo: Memo) -> Recalled:
    """Understand a memo. Raises ``KeyError``, ``TypeError`` or ``ValueError`` when it is none."""
    cookie, unique = memo["signature"]
    magic, peer_magic = memo["magics"]
    address, peer = memo["grant"]
    fixed = memo["fixed"]
    octets = bytes.fromhex
    return Recalled(
        key=Key(
            memo["interface"], tuple((t, c) for t, c in memo["vlans"]), octets(memo["mac"]), int(memo["id"])
        ),
        started=float(memo["started"]),
        generation=int(memo["generation"]),
        signature=(octets(cookie), None if unique is None else octets(unique)),
        line=Line(*map(octets, memo["line"])),
        mru=int(memo["mru"]),
        user=User(
            memo["user"].encode(),
            Password(b""),
            None if fixed is None else octets(fixed),
            fingerprint=memo["fingerprint"],
            rate=Rate(*memo.get("rate", UNLIMITED)),  # an earlier engine did not write it down
        ),
        address=int(memo["address"]),
        agreed=Agreed(
            memo["auth"],
            octets(magic),
            octets(peer_magic),
            int(memo["mtu"]),
            Grant(
                octets(address),
                octets(peer),
                tuple(map(octets, memo["dns"])),
                tuple(map(octets, memo["wins"])),
            ),
        ),
    )
