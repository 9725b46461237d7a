"""The probe's frames, against octets written down by hand from the RFCs."""

from __future__ import annotations

import random

import pytest

from reconciler.probe.codec import (
    BROADCAST,
    Code,
    Configure,
    Control,
    Discovery,
    Protocol,
    Tag,
    read,
    read_options,
    write,
)

AC, HOST = bytes.fromhex("02000000aa01"), bytes.fromhex("02000000cc01")

PADI = bytes.fromhex("ffffffffffff 02000000cc01 8863 11 09 0000 000b 01010000 01030003 616263")
REQUEST = bytes.fromhex(
    "02000000cc01 02000000aa01 8864 11 00 0007 0015 c021 01 2a 0013 0104 05d4 0305c22305 0506 01020304"
)


def padded(frame: bytes) -> bytes:
    return frame.ljust(60, b"\0")


def test_D1_a_padi_is_written_octet_by_octet_and_padded() -> None:
    message = Discovery(BROADCAST, HOST, Code.PADI, tags=((Tag.SERVICE_NAME, b""), (Tag.HOST_UNIQ, b"abc")))
    assert write(message) == padded(PADI)
    assert read(padded(PADI)) == message
    assert message.tag(Tag.HOST_UNIQ) == b"abc"
    assert message.tag(Tag.AC_COOKIE) is None


def test_L1_a_configure_request_is_written_octet_by_octet() -> None:
    options = ((1, b"\x05\xd4"), (3, b"\xc2\x23\x05"), (5, b"\1\2\3\4"))
    frame = write(Control(HOST, AC, 7, Protocol.LCP, Configure.REQUEST, 42, options=options))
    assert frame == padded(REQUEST)
    heard = read(frame)
    assert isinstance(heard, Control)
    assert (heard.session, heard.protocol, heard.code, heard.identifier) == (7, Protocol.LCP, 1, 42)
    assert heard.options == options


def test_D13_padding_that_looks_like_a_tag_is_no_tag() -> None:
    heard = read(PADI + bytes.fromhex("0102000a") + b"FAKE-NAME!")
    assert isinstance(heard, Discovery)
    assert heard.tag(Tag.AC_NAME) is None


def test_D15_nothing_counts_after_the_end_of_list() -> None:
    tags = ((Tag.SERVICE_NAME, b""), (Tag.END_OF_LIST, b""), (Tag.AC_NAME, b"late"))
    heard = read(write(Discovery(HOST, AC, Code.PADO, tags=tags)))
    assert isinstance(heard, Discovery)
    assert heard.tags == tags[:1]


def test_data_packets_and_foreign_frames_are_nothing() -> None:
    data = bytes.fromhex("02000000cc01 02000000aa01 8864 1100 0007 0016 0021") + bytes(20)
    arp = bytes.fromhex("ffffffffffff 02000000aa01 0806") + bytes(46)
    assert read(data) is None
    assert read(arp) is None
    assert read(b"") is None


def test_options_are_read_as_far_as_they_make_sense() -> None:
    assert read_options(bytes.fromhex("0104 05d4 0702 c805 616263")) == (
        (1, b"\x05\xd4"),
        (7, b""),
        (200, b"abc"),
    )
    assert read_options(bytes.fromhex("0104 05d4 0500")) == ((1, b"\x05\xd4"),)
    assert read_options(bytes.fromhex("0104 05d4 0506 01")) == ((1, b"\x05\xd4"),)


@pytest.mark.parametrize("seed", range(4))
def test_X4_no_frame_raises(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(300):
        kind = chance.choice([b"\x88\x63", b"\x88\x64"])
        header = bytes([0x11, chance.choice([0, 7, 9, 0x65, 0xA7]), 0, 7, 0, chance.randrange(80)])
        protocol = chance.choice([b"\xc0\x21", b"\x80\x21", b"\xc0\x23", b"\xc2\x23", b"\x01\x01"])
        body = bytes([chance.randrange(12), 1, 0, chance.randrange(60)]) + chance.randbytes(
            chance.randrange(60)
        )
        frame = bytes(12) + kind + header + protocol + body
        read(frame[: chance.randrange(len(frame) + 1)])
