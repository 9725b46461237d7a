"""The reference subscriber: a PPPoE host as frames in, frames out.

Independent of the engine on purpose (see `tests.peer_ppp`). Drive it by hand or on the simulator's line:
`dial(now)`, `receive(frame, now)`, `tick(now)`, `deadline()`, `hangup(now)`.
"""

from __future__ import annotations

from tests.peer_negotiation import PPPD_VJ, WINDOWS_LCP, Quirks
from tests.peer_ppp import PppPeer

__all__ = ["PPPD_VJ", "WINDOWS_LCP", "Quirks", "Subscriber"]

PADI, PADO, PADR, PADS, PADT = 0x09, 0x07, 0x19, 0x65, 0xA7
SERVICE_NAME, AC_NAME, HOST_UNIQ, AC_COOKIE, RELAY_ID = 0x0101, 0x0102, 0x0103, 0x0104, 0x0110
ERRORS = {0x0201: "service_name_error", 0x0202: "ac_system_error", 0x0203: "generic_error"}
BROADCAST = b"\xff" * 6

Tag = tuple[int, bytes]


def pack_tags(tags: list[Tag]) -> bytes:
    return b"".join(kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for kind, value in tags)


def unpack_tags(data: bytes) -> list[Tag]:
    tags = []
    while data:
        length = int.from_bytes(data[2:4], "big")
        tags.append((int.from_bytes(data[:2], "big"), data[4 : 4 + length]))
        data = data[4 + length :]
    return tags


class Subscriber:
    """A host on the wire with one PPPoE session.

    `state` is one of idle, discovery, request, starting, lcp, auth, network, up, terminating, closed, failed;
    `failure` a word or two that say why. `address`, `peer_address` and `dns` are what IPCP gave (four octets
    each); `mtu` the most it may send. Set `alive` to False to cut its cable without a goodbye.
    """

    def __init__(
        self,
        mac: bytes,
        user: bytes = b"theo",
        password: bytes = b"test",
        quirks: Quirks | None = None,
        *,
        service: bytes = b"",
        host_uniq: bytes | None = b"\x00\x2a",
        vlan_tags: bytes = b"",
        deaf_for: float = 0.0,
        sends_padt: bool = True,
        padis: int = 1,
        padding: bytes = b"",
        names_ac: bool = False,
        forgets_service: bool = False,
        extra_tags: tuple[Tag, ...] = (),
        retry: float = 1.0,
        seed: int = 1,
    ) -> None:
        """For `deaf_for` seconds after PADS nothing is heard or said (pppd starting); `vlan_tags` is raw.

        `padis` is how many PADIs are sent at once; `padding`, repeated, stands behind every frame's end;
        `names_ac` repeats the AC-Name in PADR; `forgets_service` leaves Service-Name out of the first PADR.
        """
        self.mac, self.service, self.host_uniq, self.vlan_tags = mac, service, host_uniq, vlan_tags
        self.deaf_for, self.sends_padt, self.extra_tags, self.retry = deaf_for, sends_padt, extra_tags, retry
        self.padis, self.padding = padis, padding
        self.names_ac, self.forgets_service = names_ac, forgets_service
        self.ppp = PppPeer(user, password, quirks, seed)
        self.alive = True
        self.stage, self._failure = "idle", ""
        self.session_id = 0
        self.ac_mac, self.ac_name, self.offer = b"", b"", dict[int, bytes]()
        self._next: float | None = None
        self._tries = 0

    @property
    def state(self) -> str:
        return self.ppp.state if self.stage == "session" else self.stage

    @property
    def failure(self) -> str:
        return self._failure or self.ppp.failure

    @property
    def address(self) -> bytes:
        return self.ppp.address

    @property
    def peer_address(self) -> bytes:
        return self.ppp.peer_address

    @property
    def dns(self) -> tuple[bytes, ...]:
        return self.ppp.dns

    @property
    def mtu(self) -> int:
        return min(self.ppp.mtu, self.ppp.quirks.mru or 1500)

    def dial(self, now: float) -> list[bytes]:
        """Start afresh with a PADI, whatever went before."""
        self.stage, self._failure, self.session_id, self.ac_mac = "discovery", "", 0, b""
        self._tries = 5
        return self._solicit(now)

    def hangup(self, now: float, *, polite: bool = True) -> list[bytes]:
        """Terminate-Request, then PADT once it is answered; with `polite` False, PADT at once."""
        if self.stage != "session":
            self.stage, self._next = "idle", None
            return []
        if not polite:
            return self._end("closed")
        return self._session(self.ppp.terminate(now))

    def deadline(self) -> float | None:
        if not self.alive:
            return None
        return self.ppp.deadline() if self.stage == "session" else self._next

    def tick(self, now: float) -> list[bytes]:
        if not self.alive:
            return []
        if self.stage == "session":
            return self._session(self.ppp.tick(now))
        if self._next is None or now < self._next:
            return []
        if self.stage == "starting":
            self.stage, self._next = "session", None
            return self._session(self.ppp.start(now))
        return self._solicit(now)

    def _solicit(self, now: float) -> list[bytes]:
        """Send PADI or PADR (again), doubling the wait, five times at most (RFC 2516 §8)."""
        if not self._tries:
            self.stage, self._failure, self._next = "failed", f"no answer to {self.stage}", None
            return []
        self._tries -= 1
        self._next = now + self.retry * 2 ** (4 - self._tries)
        tags = [(SERVICE_NAME, self.service), *self.extra_tags]
        if self.host_uniq is not None:
            tags.append((HOST_UNIQ, self.host_uniq))
        if self.stage == "discovery":
            return [self._frame(BROADCAST, 0x8863, PADI, 0, pack_tags(tags))] * self.padis
        if self.names_ac:
            tags.append((AC_NAME, self.ac_name))
        if self.forgets_service:
            self.forgets_service = False
            del tags[0]
        tags += [(kind, self.offer[kind]) for kind in (AC_COOKIE, RELAY_ID) if kind in self.offer]
        return [self._frame(self.ac_mac, 0x8863, PADR, 0, pack_tags(tags))]

    def receive(self, frame: bytes, now: float) -> list[bytes]:
        if not self.alive or frame[:6] not in (self.mac, BROADCAST):
            return []
        source, rest = frame[6:12], frame[12:]
        if not rest.startswith(self.vlan_tags):
            return []
        rest = rest[len(self.vlan_tags) :]
        ethertype, code = rest[:2], rest[3]
        session_id, length = int.from_bytes(rest[4:6], "big"), int.from_bytes(rest[6:8], "big")
        payload = rest[8 : 8 + length]
        if ethertype == b"\x88\x63":
            return self._discovery(source, code, session_id, payload, now)
        ours = self.stage == "session" and (source, session_id) == (self.ac_mac, self.session_id)
        return self._session(self.ppp.receive(payload, now)) if ours else []

    def _discovery(
        self, source: bytes, code: int, session_id: int, payload: bytes, now: float
    ) -> list[bytes]:
        if code == PADT:
            if self.stage in ("session", "starting") and (source, session_id) == (
                self.ac_mac,
                self.session_id,
            ):
                self.ppp.failure = self.ppp.failure or "PADT"
                self.ppp.address = bytes(4)
                self.stage, self._next = "closed", None
            return []
        tags = dict(unpack_tags(payload))
        if tags.get(HOST_UNIQ) != self.host_uniq:
            return []
        if code == PADO and self.stage == "discovery":
            self.ac_mac, self.ac_name, self.offer = source, tags.get(AC_NAME, b""), tags
            self.stage, self._tries = "request", 5
            return self._solicit(now)
        if code == PADS and self.stage == "request" and source == self.ac_mac:
            return self._confirmed(session_id, tags, now)
        return []

    def _confirmed(self, session_id: int, tags: dict[int, bytes], now: float) -> list[bytes]:
        if not session_id:
            reason = next((word for kind, word in ERRORS.items() if kind in tags), "refused")
            self.stage, self._failure, self._next = "failed", reason, None
            return []
        self.session_id, self.stage, self._next = session_id, "starting", now + self.deaf_for
        return self.tick(now)

    def _session(self, payloads: list[bytes]) -> list[bytes]:
        out = [self._frame(self.ac_mac, 0x8864, 0, self.session_id, payload) for payload in payloads]
        if self.ppp.state == "closed":
            out += self._end("closed")
        return out

    def _end(self, stage: str) -> list[bytes]:
        self.stage, self._next = stage, None
        self.ppp.address = bytes(4)
        tags = [] if self.host_uniq is None else [(HOST_UNIQ, self.host_uniq)]
        padt = self._frame(self.ac_mac, 0x8863, PADT, self.session_id, pack_tags(tags))
        return [padt] if self.sends_padt else []

    def _frame(self, to: bytes, ethertype: int, code: int, session_id: int, payload: bytes) -> bytes:
        header = ethertype.to_bytes(2, "big") + bytes([0x11, code]) + session_id.to_bytes(2, "big")
        frame = to + self.mac + self.vlan_tags + header + len(payload).to_bytes(2, "big") + payload
        if not self.padding:
            return frame.ljust(60, b"\0")
        return frame + (self.padding * 60)[: max(60 - len(frame), len(self.padding))]
