"""What can be fuzzed: each target takes octets and raises if something does not hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from reconciler.engine.datapath import fit, segments
from reconciler.engine.datapath.forward import decapsulate
from reconciler.engine.wire import ethernet, ppp, pppoe
from reconciler.engine.wire.drop import Malformed
from reconciler.probe.decode import decode
from reconciler.site.layout import LayoutError, laid_out
from reconciler.site.load import load
from tests.engine.ppp.test_simulated import Server
from tests.fuzz import desk, world
from tests.fuzz.choices import Choices
from tests.peer_negotiation import control

ADDRESS = bytes([10, 214, 2, 101])
PROTOCOLS = (0xC021, 0x8021, 0x8057, 0xC023, 0xC223, 0x80FD, 0x0021)
BODIES = (b"", b"\x03\x06\x0a\0\0\x02", b"\x04theo\x04test", b"\x05\x06HOST", b"HOST", b"\x01\x04\x05\xd4")


def wire(data: bytes) -> None:
    """Every decoder: it gives a value that encodes to the same, or says that the octets are malformed."""
    with suppress(Malformed):
        frame = ethernet.decode(data)
        assert ethernet.encode(frame).startswith(data)
        packet = pppoe.decode(frame.payload)
        assert frame.payload.startswith(pppoe.encode(*packet))
        with suppress(Malformed):
            tags = pppoe.decode_tags(packet.payload)
            assert packet.payload.startswith(pppoe.encode_tags(tags))
        protocol = ppp.protocol_of(packet.payload)
        code, identifier, inside = ppp.decode(packet.payload)
        assert packet.payload.startswith(ppp.encode(protocol, code, identifier, inside))
        options = ppp.decode_options(inside)
        assert ppp.encode_options(options) == inside


def link(data: bytes) -> None:
    """One link in any phase, with packets of any kind; ``Server`` checks each step."""
    choices, now = Choices(data), 0.0
    auth = choices.pick((("chap", "pap"), ("pap",), ("chap",)))
    server = Server(auth=auth, seed=choices.number(4))
    asked = server.perform(server.link.open(now), now)
    while choices:
        said: list[bytes] = []
        match choices.number(6):
            case 0:
                said = server.receive(choices.octets(choices.number(40)), now)
            case 1 if asked:
                said = server.receive(asked[-1][:2] + b"\x02" + asked[-1][3:], now)
            case 2:
                now += choices.pick((0.0, 0.06, 1.1, 3.1, 31.0))
                said = server.tick(now)
            case 3 if choices.number(16) == 0:
                said = server.perform(server.link.close("operator", now), now)
            case _:
                body = choices.pick(BODIES) if choices.number(2) else choices.octets(choices.number(24))
                code = choices.number(17)
                said = server.receive(control(choices.pick(PROTOCOLS), code, choices.number(6), body), now)
        asked += [frame for frame in said if frame[2] == 1 and frame[:2] in (b"\xc0\x21", b"\x80\x21")]


def datapath(data: bytes) -> None:
    """Packets of subscribers, and to them."""
    inside = decapsulate(data, ADDRESS)
    if inside is not None:
        assert inside in data
        assert inside[12:16] == ADDRESS
        assert len(segments.clamped(inside, 1400)) == len(inside)
    packet = b"\x45" + data[1:].ljust(1600, b"\0")
    packet = packet[:2] + len(packet).to_bytes(2, "big") + packet[4:]
    assert all(len(piece) <= 1400 for piece in fit.fragments(packet, 1400))
    refusal = fit.refusal(packet, 1400, ADDRESS)
    assert refusal is None or len(refusal) == 56


def site(data: bytes) -> None:
    """A site file of any content is a site or findings; what is YAML can be laid out, and then is."""
    loaded = load(data, "site.yaml")
    assert loaded.site is not None or loaded.findings
    try:
        once = laid_out(data, "site.yaml")
    except LayoutError as refused:
        assert refused.loaded is not None, "everything else can be laid out"  # noqa: PT017 - no test
        return
    assert laid_out(once, "site.yaml") == once


def show(data: bytes) -> None:
    """Any frame is one printable line."""
    assert decode(data, {}).isprintable()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "wire": wire,
    "link": link,
    "street": world.play,
    "datapath": datapath,
    "desk": desk.play,
    "site": site,
    "show": show,
}
