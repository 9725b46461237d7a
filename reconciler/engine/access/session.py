"""One subscriber's session: its identity, its link, and what it was given.

Neighbours: ``table`` finds it, ``lifecycle`` moves it along. It must not know other sessions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.engine.access.config import UNLIMITED
from reconciler.engine.access.line import NO_LINE
from reconciler.engine.access.timers import NEVER
from reconciler.engine.ppp.link import Link, Phase
from reconciler.engine.wire import ethernet, pppoe
from reconciler.engine.wire import session as wire

if TYPE_CHECKING:
    from reconciler.engine.access.config import Config, User
    from reconciler.engine.access.discovery import Listener
    from reconciler.engine.access.effects import Key
    from reconciler.engine.access.users import Question
    from reconciler.engine.messages import SessionState
    from reconciler.engine.ppp.link import Ask

_STATES: Final[dict[Phase, SessionState]] = {
    Phase.DEAD: "establish",
    Phase.ESTABLISH: "establish",
    Phase.AUTHENTICATE: "authenticate",
    Phase.NETWORK: "network",
    Phase.TERMINATE: "terminate",
}


class Session:
    """A session from PADS to PADT.

    ``config`` is what it was begun under and stays under; ``mru`` (octets) the most it may carry; ``started``
    is monotonic seconds. ``user`` and ``address`` (an integer) are those of its last login; it holds them
    against others only while ``logged_in``, which ends as soon as the session begins to end.
    ``ending`` says why we are ending it, if we are; once ``closed`` nothing is sent for it any more.
    ``established``: its addresses have been agreed on, now or before. ``line`` is where the access node says
    it is; ``question`` what has to be found out before a login that waits can be decided. ``carried`` is how
    many packets it had carried when that was last looked at, and ``used`` when that was last more than
    before; ``rate`` how fast its packets may go.
    """

    __slots__ = (
        "address",
        "armed",
        "carried",
        "closed",
        "config",
        "ending",
        "established",
        "generation",
        "header",
        "key",
        "line",
        "link",
        "listener",
        "logged_in",
        "mru",
        "pads",
        "path_open",
        "question",
        "rate",
        "signature",
        "started",
        "until",
        "used",
        "user",
    )

    def __init__(
        self,
        key: Key,
        listener: Listener,
        config: Config,
        link: Link,
        mru: int,
        generation: int,
        now: float,
    ) -> None:
        self.key = key
        self.listener = listener
        self.header = wire.header(key.mac, listener.mac, key.vlans, key.id)
        self.config = config
        self.link = link
        self.mru = mru
        self.generation = generation
        self.started = now
        self.until = now + config.session_timeout if config.session_timeout else NEVER
        self.used = now
        self.carried = 0
        self.rate = UNLIMITED
        self.armed = NEVER
        self.signature: tuple[bytes, bytes | None] = (b"", None)
        self.pads = b""
        self.line = NO_LINE
        self.user: User | None = None
        self.address: int | None = None
        self.logged_in = False
        self.path_open = False
        self.established = False
        self.question: tuple[Ask, Question] | None = None
        self.ending: str | None = None
        self.closed = False

    def deadline(self) -> float | None:
        """When the link next wants a tick, or the session has lasted long enough (monotonic seconds), if
        ever.
        """
        if self.closed:
            return None
        due = self.link.deadline()
        if self.until == NEVER or self.ending is not None:
            return due
        return self.until if due is None else min(due, self.until)

    def data(self, payload: bytes) -> bytes:
        """The frame that carries this PPP frame to the subscriber (RFC 2516 §6)."""
        return wire.frame(self.header, payload)

    def padt(self) -> bytes:
        """The frame that ends the session on the wire (RFC 2516 §5.5)."""
        key, body = self.key, pppoe.encode(pppoe.PADT, self.key.id, b"")
        frame = ethernet.Frame(key.mac, self.listener.mac, key.vlans, pppoe.ETHERTYPE_DISCOVERY, body)
        return ethernet.encode(frame)

    @property
    def half_open(self) -> bool:
        """Whether it still has to log in."""
        return not self.logged_in and self.ending is None

    @property
    def state(self) -> SessionState:
        """How far it has come, in the words of ``messages.SessionView``."""
        if self.ending is not None:
            return "terminate"
        return "opened" if self.path_open else _STATES[self.link.phase]

    @property
    def why_ending(self) -> str | None:
        """Why it is being ended, from whichever side; None while it is not."""
        return self.ending or self.link.ending
