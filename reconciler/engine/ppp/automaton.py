"""The option negotiation automaton of RFC 1661 §4, as data.

The RFC's state transition table stands below as text, in the RFC's own letters, and is parsed once. `control`
performs the actions; LCP and every NCP share them. This module must not know packets, options or time.

Letters: RCR+ is a Configure-Request that we accept, RCR- one that we do not; RCA an Ack; RCN a Nak or Reject;
RTR and RTA Terminate-Request and -Ack; RUC an unknown code; RXJ+ a Code- or Protocol-Reject that we can live
with, RXJ- one that we cannot; RXR an Echo or Discard; TO+ a timeout with retransmissions left, TO- without.
Actions: tlu, tld, tls and tlf tell the layer above (up, down, started, finished); irc and zrc set the restart
counter; scr, sca, scn, str, sta, scj and ser send. A dash is an event that cannot happen in that state.

Of the RFC's options, the restart option (Open in 3, 5 and 9) is not taken: Open is then without effect.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final, NamedTuple

_TABLE: Final = """
        0     1          2          3              4      5
Up      2     irc,scr/6  -          -              -      -
Down    -     -          0          tls/1          0      1
Open    tls/1 1          irc,scr/6  3              5      5
Close   0     tlf/0      2          2              4      4
TO+     -     -          -          -              str/4  str/5
TO-     -     -          -          -              tlf/2  tlf/3
RCR+    -     -          sta/2      irc,scr,sca/8  4      5
RCR-    -     -          sta/2      irc,scr,scn/6  4      5
RCA     -     -          sta/2      sta/3          4      5
RCN     -     -          sta/2      sta/3          4      5
RTR     -     -          sta/2      sta/3          sta/4  sta/5
RTA     -     -          2          3              tlf/2  tlf/3
RUC     -     -          scj/2      scj/3          scj/4  scj/5
RXJ+    -     -          2          3              4      5
RXJ-    -     -          tlf/2      tlf/3          tlf/2  tlf/3
RXR     -     -          2          3              4      5

        6          7          8          9
Up      -          -          -          -
Down    1          1          1          tld/1
Open    6          7          8          9
Close   irc,str/4  irc,str/4  irc,str/4  tld,irc,str/4
TO+     scr/6      scr/6      scr/8      -
TO-     tlf/3      tlf/3      tlf/3      -
RCR+    sca/8      sca,tlu/9  sca/8      tld,scr,sca/8
RCR-    scn/6      scn/7      scn/6      tld,scr,scn/6
RCA     irc/7      scr/6      irc,tlu/9  tld,scr/6
RCN     irc,scr/6  scr/6      irc,scr/8  tld,scr/6
RTR     sta/6      sta/6      sta/6      tld,zrc,sta/5
RTA     6          6          8          tld,scr/6
RUC     scj/6      scj/7      scj/8      scj/9
RXJ+    6          6          8          9
RXJ-    tlf/3      tlf/3      tlf/3      tld,irc,str/5
RXR     6          7          8          ser/9
"""


class State(IntEnum):
    """RFC 1661 §4.2."""

    INITIAL = 0
    STARTING = 1
    CLOSED = 2
    STOPPED = 3
    CLOSING = 4
    STOPPING = 5
    REQ_SENT = 6
    ACK_RCVD = 7
    ACK_SENT = 8
    OPENED = 9


class Event(IntEnum):
    """RFC 1661 §4.3, in the order of the table."""

    UP = 0
    DOWN = 1
    OPEN = 2
    CLOSE = 3
    TO_PLUS = 4
    TO_MINUS = 5
    RCR_PLUS = 6
    RCR_MINUS = 7
    RCA = 8
    RCN = 9
    RTR = 10
    RTA = 11
    RUC = 12
    RXJ_PLUS = 13
    RXJ_MINUS = 14
    RXR = 15


class Layer(Enum):
    """What the layer above is told (RFC 1661 §4.4). At most one in each transition."""

    UP = "tlu"
    DOWN = "tld"
    STARTED = "tls"
    FINISHED = "tlf"


INITIAL: Final = State.INITIAL
STARTING: Final = State.STARTING
CLOSED: Final = State.CLOSED
STOPPED: Final = State.STOPPED
CLOSING: Final = State.CLOSING
STOPPING: Final = State.STOPPING
REQ_SENT: Final = State.REQ_SENT
ACK_RCVD: Final = State.ACK_RCVD
ACK_SENT: Final = State.ACK_SENT
OPENED: Final = State.OPENED
UP: Final = Event.UP
DOWN: Final = Event.DOWN
OPEN: Final = Event.OPEN
CLOSE: Final = Event.CLOSE
TO_PLUS: Final = Event.TO_PLUS
TO_MINUS: Final = Event.TO_MINUS
RCR_PLUS: Final = Event.RCR_PLUS
RCR_MINUS: Final = Event.RCR_MINUS
RCA: Final = Event.RCA
RCN: Final = Event.RCN
RTR: Final = Event.RTR
RTA: Final = Event.RTA
RUC: Final = Event.RUC
RXJ_PLUS: Final = Event.RXJ_PLUS
RXJ_MINUS: Final = Event.RXJ_MINUS
RXR: Final = Event.RXR
TLU: Final = Layer.UP
TLD: Final = Layer.DOWN
TLS: Final = Layer.STARTED
TLF: Final = Layer.FINISHED
"""The members by name alone. Looking one up in its enumeration takes as long as four names (Python 3.11), and
a set-up does it two hundred times.
"""


TIMED: Final = frozenset({CLOSING, STOPPING, REQ_SENT, ACK_RCVD, ACK_SENT})
"""States in which the restart timer runs (RFC 1661 §4.1)."""


class Transition(NamedTuple):
    """A cell of the table. `actions` are what we do ourselves, in order, after tld and before tlu. `timed`:
    the restart timer runs in this state.
    """

    actions: tuple[str, ...]
    layer: Layer | None
    state: State
    timed: bool


_LAYERS: Final = {layer.value: layer for layer in Layer}


def _cell(text: str) -> Transition | None:
    if text == "-":
        return None
    letters, _, state = text.rpartition("/")
    words = letters.split(",") if letters else []
    layer = next((_LAYERS[word] for word in words if word in _LAYERS), None)
    actions = tuple(word for word in words if word not in _LAYERS)
    return Transition(actions, layer, State(int(state)), int(state) in TIMED)


def _parse(table: str) -> tuple[tuple[Transition | None, ...], ...]:
    left, right = (half.splitlines()[1:] for half in table.strip("\n").split("\n\n"))
    rows = (first.split()[1:] + second.split()[1:] for first, second in zip(left, right, strict=True))
    return tuple(tuple(map(_cell, row)) for row in rows)


TRANSITIONS: Final = _parse(_TABLE)
"""`TRANSITIONS[event][state]`; None where the event cannot happen."""
