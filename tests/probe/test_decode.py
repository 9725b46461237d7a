"""Frames as lines of text: every step of a call is readable, and no secret is."""

from __future__ import annotations

import random

import pytest

from reconciler.probe.codec import BROADCAST, Code, Control, Discovery, Protocol, Tag, write
from reconciler.probe.decode import decode, is_data

AC, HOST = bytes.fromhex("02000000aa01"), bytes.fromhex("02000000cc01")
NAMES = {"02:00:00:00:aa:01": "SERVER", "02:00:00:00:cc:01": "theo"}
COMPRESSION = ((7, b""), (8, b""))


def discovery(code: int, *tags: tuple[int, bytes], session: int = 0) -> str:
    return decode(write(Discovery(HOST, AC, code, session, tags)), NAMES).strip()


def control(protocol: int, code: int, data: bytes = b"", *options: tuple[int, bytes]) -> str:
    line = decode(write(Control(HOST, AC, 7, protocol, code, 3, data, options)), NAMES).strip()
    return line.removeprefix("SERVER > theo     0x0007 ")


def test_discovery_names_stations_tags_and_the_session() -> None:
    padi = Discovery(BROADCAST, HOST, Code.PADI, 0, ((Tag.SERVICE_NAME, b""), (Tag.HOST_UNIQ, b"\1\2")))
    assert decode(write(padi), NAMES).split() == [
        "theo",
        ">",
        "all",
        "PADI",
        "<Service-Name",
        '"">',
        "<Host-Uniq",
        "0x0102>",
    ]
    assert discovery(Code.PADO, (Tag.AC_NAME, b"SERVER"), (Tag.AC_COOKIE, bytes(20))) == (
        'SERVER > theo     PADO <AC-Name "SERVER"> <AC-Cookie 0x0000000000000000… (20 octets)>'
    )
    assert (
        discovery(Code.PADT, (0x1234, b""), session=7)
        == "SERVER > theo     PADT session 0x0007 <tag 0x1234 empty>"
    )
    assert discovery(0xD3) == "SERVER > theo     code 0xd3"


@pytest.mark.parametrize(
    ("line", "packet"),
    [
        (
            "LCP Configure-Request id 3 <auth CHAP MD5> <magic 0x01020304> <pcomp> <accomp> <option 9 0x06>",
            (
                0xC021,
                1,
                b"",
                (3, b"\xc2\x23\5"),
                (5, b"\1\2\3\4"),
                (7, b""),
                (8, b""),
                (9, b"\6"),
            ),
        ),
        ("LCP Configure-Ack id 3 <mru 1492>", (0xC021, 2, b"", (1, b"\5\xd4"))),
        ("LCP Configure-Nak id 3 <auth PAP>", (0xC021, 3, b"", (3, b"\xc0\x23"))),
        ('LCP Terminate-Request id 3 "bye"', (0xC021, 5, b"bye")),
        ("LCP Terminate-Ack id 3", (0xC021, 6)),
        ("LCP Code-Reject id 3 of code 14", (0xC021, 7, b"\x0e\1\0\4")),
        ("LCP Protocol-Reject id 3 of IPV6CP", (0xC021, 8, b"\x80\x57rest")),
        ("LCP Echo-Request id 3 <magic 0x01020304>", (0xC021, 9, b"\1\2\3\4data")),
        ('LCP Identification id 3 "MSRASV5.20"', (0xC021, 12, b"\1\2\3\4MSRASV5.20")),
        ("LCP code 200 id 3 (2 octets)", (0xC021, 200, b"ab")),
        ('PAP Authenticate-Ack id 3 "ok"', (0xC023, 2, b"\2ok")),
        (
            'CHAP Challenge id 3 name "SERVER" value of 16 octets',
            (0xC223, 1, b"\x10" + bytes(16) + b"SERVER"),
        ),
        ('CHAP Failure id 3 "no"', (0xC223, 4, b"no")),
        (
            "IPCP Configure-Nak id 3 <addr 10.214.2.101> <dns1 8.8.8.8> <dns2 8.8.4.4>",
            (0x8021, 3, b"", (3, b"\x0a\xd6\2\x65"), (129, b"\x08" * 4), (131, b"\x08\x08\4\4")),
        ),
        ("IPCP Configure-Request id 3 <option 2 0x002d0f01>", (0x8021, 1, b"", (2, b"\0\x2d\x0f\1"))),
        ("IPV6CP Configure-Request id 3 (10 octets)", (0x8057, 1, bytes(10))),
        ("protocol 0x8235 code 1 id 3 (0 octets)", (0x8235, 1)),
    ],
)
def test_a_control_packet_is_one_line(line: str, packet: tuple[int, int, bytes]) -> None:
    assert control(*packet) == line


@pytest.mark.parametrize(
    ("line", "packet"),
    [
        ('PAP Authenticate-Request id 3 user "theo" password hidden', (0xC023, 1, b"\4theo\6SECRET")),
        ("PAP Authenticate-Request id 3 (malformed)", (0xC023, 1, b"\xffSECRET")),
        ("PAP code 9 id 3 (malformed)", (0xC023, 9, b"SECRET")),
        ('CHAP Response id 3 name "theo" response hidden', (0xC223, 2, b"\6SECRETtheo")),
        ("LCP Protocol-Reject id 3 of PAP", (0xC021, 8, b"\xc0\x23\1\1\0\x12\4theo\6SECRET")),
        ("LCP Code-Reject id 3 of code 1", (0xC021, 7, b"\1SECRET")),
        ("EAP code 2 id 3 (6 octets)", (0xC227, 2, b"SECRET")),
        ("IPV6CP Configure-Request id 3 (6 octets)", (0x8057, 1, b"SECRET")),
        ('CHAP Success id 3 "S=(hidden) M=OK"', (0xC223, 3, b"S=" + b"0A1B" * 10 + b" M=OK")),
    ],
)
def test_no_password_is_shown(line: str, packet: tuple[int, int, bytes]) -> None:
    shown = control(*packet)
    assert shown == line
    assert "SECRET" not in shown
    assert b"SECRET".hex() not in shown


def test_D44_text_from_the_network_is_escaped() -> None:
    assert discovery(Code.PADO, (Tag.AC_NAME, b'a"\x1b[2J\n')).endswith(r'PADO <AC-Name "a\x22\x1b[2J\x0a">')


def test_data_is_told_from_control() -> None:
    data = HOST + AC + bytes.fromhex("8864 1100 0007 0016 0021") + bytes(40)
    assert is_data(data)
    assert decode(data, NAMES).endswith("0x0007 IPv4 data")
    assert not is_data(write(Control(HOST, AC, 7, Protocol.LCP, 9, 1)))
    assert not is_data(write(Discovery(HOST, AC, Code.PADT, 7)))


def test_a_length_that_lies_is_told() -> None:
    frame = bytearray(write(Discovery(HOST, AC, Code.PADT, 7)))
    frame[18:20] = b"\x01\x00"
    assert decode(bytes(frame), NAMES).endswith("(its length of 256 runs past the frame)")
    assert decode(b"abc") == "a frame of 3 octets, too short for PPPoE"


@pytest.mark.parametrize("seed", range(4))
def test_X4_no_frame_raises_and_every_line_is_printable(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(300):
        frame = bytearray(write(Control(HOST, AC, 7, chance.choice(list(Protocol)), chance.randrange(14), 1)))
        frame[14:] = bytes(
            chance.choice((frame[i] if i < len(frame) else 0, chance.randrange(256))) for i in range(14, 80)
        )
        frame[12:14] = chance.choice([b"\x88\x63", b"\x88\x64"])
        line = decode(bytes(frame[: chance.randrange(81)]), NAMES)
        assert line.isprintable()
