"""A small access concentrator to try the probe against: lenient, without timers, as much PPPoE as the
tests need.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from reconciler.probe.codec import (
    BROADCAST,
    Code,
    Configure,
    Control,
    Discovery,
    Option,
    Protocol,
    Tag,
    read,
    write,
)

MAC = bytes.fromhex("02000000aa01")
AUTH = {"pap": b"\xc0\x23", "chap": b"\xc2\x23\x05"}
CHALLENGE = bytes(range(16))


def ip(text: str) -> bytes:
    return bytes(int(part) for part in text.split("."))


@dataclass
class FakeAc:
    """Serves one caller. ``users`` by name; ``deaf``: kinds of packet (protocol, code) or codes it
    swallows.
    """

    users: dict[str, str] = field(default_factory=lambda: {"theo": "test"})
    auth: str | None = "chap"
    address: str = "10.214.2.101"
    peer: str = "10.214.2.100"
    dns: tuple[str, ...] = ("8.8.8.8", "8.8.4.4")
    session: int = 7
    error: tuple[Tag, bytes] | None = None
    deaf: set[object] = field(default_factory=set)
    client: bytes = b""
    heard: list[Discovery | Control] = field(default_factory=list)

    def receive(self, frame: bytes) -> list[bytes]:
        message = read(frame)
        assert message is not None
        self.heard.append(message)
        if isinstance(message, Discovery):
            answers = self._discovery(message)
        else:
            assert (message.destination, message.session) == (MAC, self.session)
            answers = [] if (message.protocol, message.code) in self.deaf else self._control(message)
        return [write(answer) for answer in answers]

    def send(
        self,
        protocol: int,
        code: int,
        identifier: int = 1,
        data: bytes = b"",
        options: tuple[Option, ...] = (),
    ) -> bytes:
        return write(self._packet(protocol, code, identifier, data, options))

    def padt(self, session: int | None = None, source: bytes = MAC) -> bytes:
        return write(Discovery(self.client, source, Code.PADT, self.session if session is None else session))

    def codes(self, protocol: int | None = None) -> list[int]:
        """The codes heard so far in discovery (None) or of a PPP protocol."""
        return [m.code for m in self.heard if (m.protocol if isinstance(m, Control) else None) == protocol]

    def _discovery(self, message: Discovery) -> list[Discovery | Control]:
        self.client = message.source
        echoed = tuple(tag for tag in message.tags if tag[0] in (Tag.SERVICE_NAME, Tag.HOST_UNIQ))
        if message.code in self.deaf:
            return []
        if message.code == Code.PADI:
            assert message.destination == BROADCAST
            offer = (
                *echoed,
                (Tag.AC_NAME, b"SERVER"),
                (Tag.AC_COOKIE, b"cookie"),
                (Tag.RELAY_SESSION_ID, b"relay"),
            )
            return [Discovery(self.client, MAC, Code.PADO, 0, offer)]
        if message.code == Code.PADR:
            assert message.tag(Tag.AC_COOKIE) == b"cookie"
            assert message.tag(Tag.RELAY_SESSION_ID) == b"relay"
            if self.error:
                return [Discovery(self.client, MAC, Code.PADS, 0, (*echoed, self.error))]
            return [Discovery(self.client, MAC, Code.PADS, self.session, echoed), self._ask()]
        return []

    def _ask(self) -> Control:
        auth = ((3, AUTH[self.auth]),) if self.auth else ()
        return self._packet(
            Protocol.LCP, Configure.REQUEST, 1, options=((1, b"\x05\xd4"), *auth, (5, b"ACAC"))
        )

    def _control(self, packet: Control) -> list[Discovery | Control]:
        if packet.protocol == Protocol.LCP:
            return self._lcp(packet)
        if packet.protocol == Protocol.IPCP:
            return self._ipcp(packet)
        if packet.protocol == Protocol.PAP:
            size = packet.data[0]
            name, password = packet.data[1 : 1 + size], packet.data[2 + size :]
            right = self.users.get(name.decode(), "").encode() == password
            return self._login(
                Protocol.PAP, 2 if right else 3, packet.identifier, b"\x02no" if not right else b"\0"
            )
        value, user = packet.data[1:17], packet.data[17:].decode()
        wanted = hashlib.md5(
            bytes([packet.identifier]) + self.users.get(user, "").encode() + CHALLENGE
        ).digest()
        right = value == wanted and user in self.users
        return self._login(Protocol.CHAP, 3 if right else 4, packet.identifier, b"ok" if right else b"no")

    def _login(
        self, protocol: Protocol, code: int, identifier: int, data: bytes
    ) -> list[Discovery | Control]:
        verdict = self._packet(protocol, code, identifier, data)
        if code == (3 if protocol == Protocol.PAP else 4):
            bye = self._packet(Protocol.LCP, Configure.TERMINATE_REQUEST, 9, b"login refused")
            return [verdict, bye]
        return [verdict, self._packet(Protocol.IPCP, Configure.REQUEST, 1, options=((3, ip(self.peer)),))]

    def _lcp(self, packet: Control) -> list[Discovery | Control]:
        if packet.code == Configure.REQUEST:
            return [self._packet(Protocol.LCP, Configure.ACK, packet.identifier, options=packet.options)]
        if packet.code == Configure.ACK and self.auth == "chap":
            return [self._packet(Protocol.CHAP, 1, 5, bytes([16]) + CHALLENGE + b"SERVER")]
        if packet.code == Configure.ACK and self.auth is None:
            return [self._packet(Protocol.IPCP, Configure.REQUEST, 1, options=((3, ip(self.peer)),))]
        if packet.code == Configure.TERMINATE_REQUEST:
            return [self._packet(Protocol.LCP, Configure.TERMINATE_ACK, packet.identifier)]
        if packet.code == Configure.TERMINATE_ACK:
            return [Discovery(self.client, MAC, Code.PADT, self.session)]
        return []

    def _ipcp(self, packet: Control) -> list[Discovery | Control]:
        if packet.code != Configure.REQUEST:
            return []
        servers = dict(zip((129, 131), map(ip, self.dns), strict=False))
        rejected = tuple(option for option in packet.options if option[0] != 3 and option[0] not in servers)
        if rejected:
            return [self._packet(Protocol.IPCP, Configure.REJECT, packet.identifier, options=rejected)]
        wanted = tuple((kind, {3: ip(self.address), **servers}[kind]) for kind, _ in packet.options)
        code = Configure.ACK if wanted == packet.options else Configure.NAK
        return [self._packet(Protocol.IPCP, code, packet.identifier, options=wanted)]

    def _packet(
        self, protocol: int, code: int, identifier: int, data: bytes = b"", options: tuple[Option, ...] = ()
    ) -> Control:
        return Control(self.client, MAC, self.session, protocol, code, identifier, data, options)
