"""Discovery on the wire: who is offered what, and what is met with silence (conformance items D)."""

from __future__ import annotations

import pytest

from reconciler.engine.access.config import Config
from reconciler.engine.access.discovery import Listener
from reconciler.engine.access.effects import Dropped, Send
from reconciler.engine.wire import ethernet, pppoe
from reconciler.engine.wire.drop import Drop
from reconciler.engine.wire.pppoe import Code, Tag, TagType
from tests.engine.access.bench import AC_MAC, Bench

THEO = bytes.fromhex("02c100000001")
NAME = (int(TagType.SERVICE_NAME), b"")


def frame(
    code: int,
    *tags: Tag,
    source: bytes = THEO,
    destination: bytes | None = None,
    session_id: int = 0,
    vlans: tuple[tuple[int, int], ...] = (),
    tail: bytes = b"",
) -> bytes:
    to = destination or (ethernet.BROADCAST if code == Code.PADI else AC_MAC)
    payload = pppoe.encode(code, session_id, pppoe.encode_tags(tags)) + tail
    return ethernet.encode(ethernet.Frame(to, source, vlans, pppoe.ETHERTYPE_DISCOVERY, payload))


def answered(
    bench: Bench, data: bytes, interface: str = "eth0"
) -> tuple[ethernet.Frame, pppoe.Packet, tuple[Tag, ...]]:
    """The one frame that answers, taken apart."""
    sent = [effect for effect in bench.receive(data, interface) if isinstance(effect, Send)]
    assert sent, "no answer"
    outer = ethernet.decode(sent[0].frame)
    packet = pppoe.decode(outer.payload)
    return outer, packet, pppoe.decode_tags(packet.payload)


def only(tags: tuple[Tag, ...], kind: TagType) -> bytes:
    (value,) = [value for found, value in tags if found == kind]
    return value


def cookie(bench: Bench, interface: str = "eth0", **how: object) -> Tag:
    _, _, tags = answered(bench, frame(Code.PADI, NAME, **how), interface)  # type: ignore[arg-type]
    return (TagType.AC_COOKIE, only(tags, TagType.AC_COOKIE))


def dropped(bench: Bench, data: bytes) -> Drop:
    (effect,) = bench.receive(data)
    assert isinstance(effect, Dropped), f"answered with {effect}"
    return effect.reason


def test_D1_a_padi_gets_exactly_one_pado_with_our_name_and_the_same_service() -> None:
    bench = Bench()
    effects = bench.receive(frame(Code.PADI, NAME))
    assert len(effects) == 1
    outer, packet, tags = answered(bench, frame(Code.PADI, NAME))
    assert (outer.destination, outer.source) == (THEO, AC_MAC)
    assert (packet.code, packet.session_id) == (Code.PADO, 0)
    assert only(tags, TagType.AC_NAME) == b"SERVER"
    assert only(tags, TagType.SERVICE_NAME) == b""


@pytest.mark.parametrize("size", [0, 1, 4, 8, 64, 255, 1024])
def test_D2_host_uniq_comes_back_bit_for_bit(size: int) -> None:
    bench = Bench()
    unique = (int(TagType.HOST_UNIQ), bytes(range(256))[:size] if size < 256 else bytes(size))
    assert unique in answered(bench, frame(Code.PADI, NAME, unique))[2]
    assert unique in answered(bench, frame(Code.PADR, NAME, unique, cookie(bench)))[2]
    unknown = (int(TagType.SERVICE_NAME), b"tv")
    bench.configure(service_names=["internet"])
    assert unique in answered(bench, frame(Code.PADR, unknown, unique, cookie(bench)))[2], (
        "also with an error"
    )


def test_D3_no_host_uniq_is_invented() -> None:
    bench = Bench()
    assert TagType.HOST_UNIQ not in [kind for kind, _ in answered(bench, frame(Code.PADI, NAME))[2]]


def test_D4_a_relays_tag_comes_back_and_two_different_ones_are_dropped() -> None:
    bench = Bench()
    one, other = (int(TagType.RELAY_SESSION_ID), b"\0r1"), (int(TagType.RELAY_SESSION_ID), b"r2")
    assert one in answered(bench, frame(Code.PADI, NAME, one))[2]
    assert one in answered(bench, frame(Code.PADR, NAME, one, cookie(bench)))[2]
    assert dropped(bench, frame(Code.PADI, NAME, one, other)) is Drop.RELAY_TAGS


def test_D5_an_unknown_service_is_not_offered_unless_any_is() -> None:
    bench = Bench()
    tv = (int(TagType.SERVICE_NAME), b"tv")
    assert only(answered(bench, frame(Code.PADI, tv))[2], TagType.SERVICE_NAME) == b"tv"
    bench.configure(service_names=["internet"])
    assert dropped(bench, frame(Code.PADI, tv)) is Drop.UNKNOWN_SERVICE


def test_D6_who_asks_for_any_service_is_told_all() -> None:
    bench = Bench()
    bench.configure(service_names=["a", "b"])
    names = [v for k, v in answered(bench, frame(Code.PADI, NAME))[2] if k == TagType.SERVICE_NAME]
    assert names == [b"", b"a", b"b"]
    asked = (int(TagType.SERVICE_NAME), b"a")
    assert only(answered(bench, frame(Code.PADI, asked))[2], TagType.SERVICE_NAME) == b"a"


def test_D7_a_padi_needs_exactly_one_service_name() -> None:
    bench = Bench()
    assert dropped(bench, frame(Code.PADI)) is Drop.SERVICE_NAME
    assert dropped(bench, frame(Code.PADI, NAME, NAME)) is Drop.SERVICE_NAME


def test_D8_a_padi_with_a_session_id_another_version_or_type_is_dropped() -> None:
    bench = Bench()
    assert dropped(bench, frame(Code.PADI, NAME, session_id=1)) is Drop.BAD_SESSION_ID
    for octet in (0x21, 0x12):
        data = bytearray(frame(Code.PADI, NAME))
        data[14] = octet
        assert dropped(bench, bytes(data)) is Drop.PPPOE_VERSION


def test_D9_a_padi_sent_to_us_alone_is_served_and_one_for_another_station_is_not() -> None:
    bench = Bench()
    answered(bench, frame(Code.PADI, NAME, destination=AC_MAC))
    assert dropped(bench, frame(Code.PADI, NAME, destination=b"\x02other")) is Drop.NOT_FOR_US


@pytest.mark.parametrize("code", [Code.PADR, Code.PADT])
def test_D10_only_a_padi_may_be_a_broadcast(code: Code) -> None:
    assert dropped(Bench(), frame(code, NAME, destination=ethernet.BROADCAST)) is Drop.NOT_FOR_US


@pytest.mark.parametrize("code", [Code.PADO, Code.PADS])
def test_D10_another_access_concentrator_is_counted(code: Code) -> None:
    assert dropped(Bench(), frame(code, NAME)) is Drop.ROGUE_AC


@pytest.mark.parametrize("source", [ethernet.BROADCAST, b"\x01\0\x5e\0\0\1", bytes(6), AC_MAC])
def test_D11_impossible_senders_are_ignored(source: bytes) -> None:
    assert dropped(Bench(), frame(Code.PADI, NAME, source=source)) is Drop.BAD_SOURCE


@pytest.mark.parametrize("code", [0x00, 0x0A, 0x0B, 0x0C, 0xD3, 0xD4, 0xFF])
def test_D12_unknown_codes_are_ignored(code: int) -> None:
    assert dropped(Bench(), frame(code, NAME, destination=AC_MAC)) is Drop.BAD_CODE


def test_D13_padding_that_looks_like_a_tag_is_not_one() -> None:
    bench = Bench()
    trap = pppoe.encode_tags([(TagType.SERVICE_NAME, b"trap")])
    answered(bench, frame(Code.PADI, NAME, tail=trap))


def test_D15_end_of_list_ends_the_list() -> None:
    bench = Bench()
    answered(bench, frame(Code.PADI, NAME, (TagType.END_OF_LIST, b""), NAME))
    assert dropped(bench, frame(Code.PADI, (TagType.END_OF_LIST, b""), NAME)) is Drop.SERVICE_NAME
    assert dropped(bench, frame(Code.PADI, NAME, (TagType.END_OF_LIST, b"x"))) is Drop.END_OF_LIST


def test_D16_D17_unknown_and_vendor_tags_are_ignored_and_never_echoed() -> None:
    strange = [
        (0x0999, b"?"),
        (int(TagType.VENDOR_SPECIFIC), b"\0"),
        (int(TagType.VENDOR_SPECIFIC), b"\0\0\x0d\xe9\1\xff"),
    ]
    _, _, tags = answered(Bench(), frame(Code.PADI, strange[0], NAME, *strange[1:]))
    assert not {kind for kind, _ in tags} & {kind for kind, _ in strange}


def test_D20_an_ac_name_in_padr_changes_nothing() -> None:
    bench = Bench()
    other = (int(TagType.AC_NAME), b"another")
    assert answered(bench, frame(Code.PADR, NAME, other, cookie(bench)))[1].session_id


def test_D21_a_padi_may_be_1484_octets_and_an_answer_never_exceeds_1500() -> None:
    bench = Bench()
    room = 1484 - pppoe.HEADER - len(pppoe.encode_tags([NAME])) - 4
    assert answered(bench, frame(Code.PADI, NAME, (0x0999, bytes(room))))
    assert dropped(bench, frame(Code.PADI, NAME, (0x0999, bytes(room + 1)))) is Drop.OVERSIZED
    assert dropped(bench, frame(Code.PADI, NAME, (TagType.HOST_UNIQ, bytes(room)))) is Drop.OVERSIZED


def test_D21_a_padr_larger_than_an_answer_may_be_is_dropped() -> None:
    bench = Bench()
    bench.concentrator.listen(Listener("eth0", AC_MAC, 9000), 1)
    ours = cookie(bench)
    room = 1500 - pppoe.HEADER - len(pppoe.encode_tags([NAME, ours])) - 4
    outer, _, _ = answered(bench, frame(Code.PADR, NAME, (TagType.HOST_UNIQ, bytes(room)), ours))
    assert len(outer.payload) <= 1500
    too_large = frame(Code.PADR, NAME, (TagType.HOST_UNIQ, bytes(room + 1)), ours)
    assert dropped(bench, too_large) is Drop.OVERSIZED


def test_D23_a_padr_without_a_cookie_of_ours_is_met_with_silence() -> None:
    bench = Bench()
    assert dropped(bench, frame(Code.PADR, NAME)) is Drop.BAD_COOKIE
    stolen = cookie(bench)
    assert dropped(bench, frame(Code.PADR, NAME, stolen, source=b"\x02thief")) is Drop.BAD_COOKIE


def test_D24_a_good_padr_gets_a_session() -> None:
    bench = Bench()
    _, packet, tags = answered(bench, frame(Code.PADR, NAME, cookie(bench)))
    assert packet.code == Code.PADS
    assert 1 <= packet.session_id <= 0xFFFE
    assert only(tags, TagType.SERVICE_NAME) == b""


def test_D24_no_two_interfaces_have_sessions_of_one_id() -> None:
    bench = Bench()
    bench.concentrator.listen(Listener("eth1", AC_MAC, 1500), 2)
    ids = set()
    for n, interface in enumerate(("eth0", "eth1") * 3):
        unique = (int(TagType.HOST_UNIQ), bytes([n]))
        padr = frame(Code.PADR, NAME, unique, cookie(bench, interface))
        _, pads, _ = answered(bench, padr, interface)
        ids.add(pads.session_id)
    assert (len(ids), len(bench.concentrator)) == (6, 6)


def test_D24_the_confirmation_has_the_padrs_own_tags() -> None:
    bench = Bench()
    first, second = (int(TagType.HOST_UNIQ), b"padi"), (int(TagType.HOST_UNIQ), b"padr")
    _, _, offer = answered(bench, frame(Code.PADI, NAME, first))
    ours = (int(TagType.AC_COOKIE), only(offer, TagType.AC_COOKIE))
    _, _, tags = answered(bench, frame(Code.PADR, second, ours, NAME))
    assert tags == (NAME, second)


@pytest.mark.parametrize("names", [(), (NAME, NAME), ((int(TagType.SERVICE_NAME), b"tv"),)])
def test_D25_D26_a_padr_for_no_service_of_ours_is_told_so(names: tuple[Tag, ...]) -> None:
    bench = Bench()
    bench.configure(service_names=["internet"])
    _, packet, tags = answered(bench, frame(Code.PADR, *names, cookie(bench)))
    assert (packet.code, packet.session_id) == (Code.PADS, 0)
    text = only(tags, TagType.SERVICE_NAME_ERROR)
    assert text.isascii()
    assert not text.endswith(b"\0")


def test_D28_a_repeated_padr_gets_the_same_pads_and_no_second_session() -> None:
    bench = Bench()
    padr = frame(Code.PADR, NAME, (TagType.HOST_UNIQ, b"1"), cookie(bench))
    first = next(effect for effect in bench.receive(padr) if isinstance(effect, Send))
    assert bench.receive(padr) == [first]
    assert len(bench.concentrator) == 1


def test_D28_a_repeated_padr_does_not_restart_the_link() -> None:
    bench = Bench()
    padr = frame(Code.PADR, NAME, (TagType.HOST_UNIQ, b"1"), cookie(bench))
    bench.receive(padr)
    due = bench.concentrator.deadline()
    bench.now += 0.01
    bench.receive(padr)
    assert bench.concentrator.deadline() == due


def test_D29_half_open_sessions_of_one_client_are_bounded() -> None:
    bench = Bench()
    for n in range(10):
        bench.receive(frame(Code.PADR, NAME, (TagType.HOST_UNIQ, bytes([n])), cookie(bench)))
    assert len(bench.concentrator) == 4


def test_D30_a_padr_with_a_session_id_is_dropped() -> None:
    bench = Bench()
    assert dropped(bench, frame(Code.PADR, NAME, cookie(bench), session_id=5)) is Drop.BAD_SESSION_ID


def test_D33_D34_a_padt_for_nobody_or_somebody_elses_session_is_counted() -> None:
    bench = Bench()
    _, pads, _ = answered(bench, frame(Code.PADR, NAME, cookie(bench)))
    for unknown in {0, 0xFFFF, pads.session_id ^ 1}:
        assert dropped(bench, frame(Code.PADT, session_id=unknown)) is Drop.UNKNOWN_SESSION
    spoofed = frame(Code.PADT, source=b"\x02thief", session_id=pads.session_id)
    assert dropped(bench, spoofed) is Drop.FOREIGN_SESSION
    assert len(bench.concentrator) == 1


@pytest.mark.parametrize(
    ("ours", "interface_mtu", "asked", "told"),
    [
        (1500, 1508, b"\x05\xdc", b"\x05\xdc"),
        (1500, 1504, b"\x05\xdc", b"\x05\xd8"),
        (1500, 1500, b"\x05\xdc", None),
        (1492, 1508, b"\x05\xdc", None),
        (1500, 1508, b"\x05\xd4", None),
        (1500, 1508, b"\x05", None),
    ],
)
def test_D39_more_than_1492_only_if_client_interface_and_site_can(
    ours: int, interface_mtu: int, asked: bytes, told: bytes | None
) -> None:
    bench = Bench()
    bench.configure(mtu=ours)
    bench.concentrator.listen(Listener("eth0", AC_MAC, interface_mtu), 1)
    wish = (int(TagType.PPP_MAX_PAYLOAD), asked)
    for data in (frame(Code.PADI, NAME, wish), frame(Code.PADR, NAME, wish, cookie(bench))):
        found = [v for k, v in answered(bench, data)[2] if k == TagType.PPP_MAX_PAYLOAD]
        assert found == ([] if told is None else [told])


def test_D39_only_the_tag_in_padr_counts() -> None:
    bench = Bench()
    bench.configure(mtu=1500)
    bench.concentrator.listen(Listener("eth0", AC_MAC, 1508), 1)
    wish = (int(TagType.PPP_MAX_PAYLOAD), b"\x05\xdc")
    _, _, offer = answered(bench, frame(Code.PADI, NAME, wish))
    assert wish in offer
    ours = (int(TagType.AC_COOKIE), only(offer, TagType.AC_COOKIE))
    _, _, tags = answered(bench, frame(Code.PADR, NAME, ours))
    assert TagType.PPP_MAX_PAYLOAD not in [kind for kind, _ in tags]
    (session,) = bench.concentrator
    assert session.link.peer_mru == 1492


def test_D40_the_answer_has_the_same_vlan_tags() -> None:
    bench = Bench()
    tags = ((0x88A8, 100), (0x8100, 100))
    assert answered(bench, frame(Code.PADI, NAME, vlans=tags))[0].vlans == tags


@pytest.mark.parametrize("tags", [((0x8100, 0),), ((0x8100, 0xE000),), ((0x88A8, 7), (0x8100, 4095))])
def test_D33_D40_a_cookie_and_a_session_are_good_behind_the_same_tags_alone(
    tags: tuple[tuple[int, int], ...],
) -> None:
    bench = Bench()
    ours = cookie(bench, vlans=tags)
    assert dropped(bench, frame(Code.PADR, NAME, ours)) is Drop.BAD_COOKIE
    outer, pads, _ = answered(bench, frame(Code.PADR, NAME, ours, vlans=tags))
    assert outer.vlans == tags
    assert dropped(bench, frame(Code.PADT, session_id=pads.session_id)) is Drop.FOREIGN_SESSION
    assert len(bench.concentrator) == 1


def test_D42_D43_while_stopping_nobody_is_offered_anything() -> None:
    bench = Bench()
    bench.concentrator.stop(0.0)
    assert dropped(bench, frame(Code.PADI, NAME)) is Drop.STOPPING


def test_D27_D42_while_stopping_a_padr_is_told_so() -> None:
    bench = Bench()
    unique, ours = (int(TagType.HOST_UNIQ), b"u"), cookie(bench)
    bench.concentrator.stop(0.0)
    _, packet, tags = answered(bench, frame(Code.PADR, NAME, unique, ours))
    assert (packet.code, packet.session_id) == (Code.PADS, 0)
    assert tags == ((TagType.AC_SYSTEM_ERROR, b"shutting down"), unique)
    assert len(bench.concentrator) == 0


def test_settings_survive_the_way_to_a_message_and_back() -> None:
    config = Bench().concentrator.config
    assert Config().merged(config.settings()) == config
