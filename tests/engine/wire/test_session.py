"""Frames of sessions as a whole: the short way says what `ethernet` and `pppoe` say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.wire import ethernet, pppoe, session
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.ethernet import Frame

mac = st.binary(min_size=6, max_size=6)
u16 = st.integers(0, 0xFFFF)
vlans = st.lists(st.tuples(st.sampled_from([0x8100, 0x88A8]), u16), max_size=3).map(tuple)


@given(mac, mac, vlans, u16, st.binary(max_size=1492))
def test_a_frame_is_what_its_layers_make_of_it(
    to: bytes, by: bytes, tags: tuple[tuple[int, int], ...], session_id: int, payload: bytes
) -> None:
    inside = pppoe.encode(pppoe.Code.SESSION, session_id, payload)
    whole = ethernet.encode(Frame(to, by, tags, pppoe.ETHERTYPE_SESSION, inside))
    header = session.header(to, by, tags, session_id)
    assert session.frame(header, payload) == whole
    assert session.payload(whole, len(header)) == payload
    assert session.header_back(whole) == session.header(by, to, tags, session_id)


@given(mac, mac, vlans, u16, st.data())
def test_what_differs_in_any_bit_before_its_length_is_no_frame_of_the_session(
    to: bytes, by: bytes, tags: tuple[tuple[int, int], ...], session_id: int, data: st.DataObject
) -> None:
    header = session.header(to, by, tags, session_id)
    changed = bytearray(session.frame(header, b"\xc0\x21"))
    changed[data.draw(st.integers(0, len(header) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert session.header_back(bytes(changed)) != session.header(by, to, tags, session_id)


@given(st.binary(max_size=40))
def test_any_octets_at_all_have_some_header(data: bytes) -> None:
    assert len(session.header_back(data)) <= len(data)


@pytest.mark.parametrize("rest", [b"", b"\0", b"\0\x05abcd", b"\xff\xff"])
def test_a_length_that_is_cut_off_or_too_long_is_malformed(rest: bytes) -> None:
    header = session.header(b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2", (), 7)
    with pytest.raises(Malformed) as caught:
        session.payload(header + rest, len(header))
    assert caught.value.reason is Drop.TRUNCATED
