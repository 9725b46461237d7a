"""bpf(2) on the real kernel: maps of every size, and programs that are refused with a reason."""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator

import pytest

from reconciler.linux import bpf
from reconciler.linux.bpf import BpfError, Map, ProgramType, Shape

pytestmark = pytest.mark.root

HASH, ARRAY = 1, 2
MOV_0, EXIT = struct.pack("<BBhi", 0xB7, 0, 0, 0), struct.pack("<BBhi", 0x95, 0, 0, 0)
READ_NULL = struct.pack("<BBhi", 0xB7, 1, 0, 0) + struct.pack("<BBhi", 0x61, 0x10, 0, 0)


@pytest.fixture
def numbers() -> Iterator[Map]:
    made = Map.create("numbers", Shape(HASH, 4, 8, 20_000, 1))
    yield made
    made.close()


def key(number: int) -> bytes:
    return struct.pack("=I", number)


def test_a_map_keeps_what_it_is_given_until_it_is_taken_away(numbers: Map) -> None:
    assert numbers.get(key(1)) is None
    numbers.put(key(1), b"eight oc")
    numbers.put(key(1), b"others 8")
    assert numbers.get(key(1)) == b"others 8"
    numbers.remove(key(1))
    numbers.remove(key(1))
    assert (numbers.get(key(1)), list(numbers.items())) == (None, [])


def test_everything_in_it_is_read_whatever_the_number(numbers: Map) -> None:
    written = {key(n): struct.pack("=Q", n * n) for n in range(20_000)}
    for each, value in written.items():
        numbers.put(each, value)
    assert dict(numbers.items()) == written


def test_a_full_map_says_so() -> None:
    small = Map.create("small", Shape(HASH, 4, 8, 1, 0))
    small.put(key(1), bytes(8))
    with pytest.raises(BpfError, match="cannot write to a map") as caught:
        small.put(key(2), bytes(8))
    assert caught.value.errno == errno.E2BIG
    small.close()


def test_a_shape_is_told_by_the_kernel_as_it_was_asked_for(numbers: Map) -> None:
    assert bpf.shape_of(numbers.fd) == numbers.shape


def test_a_program_that_the_verifier_refuses_is_refused_with_what_it_said() -> None:
    with pytest.raises(BpfError, match=r"cannot load the program bad: .*R1 invalid mem access"):
        bpf.load(ProgramType.XDP, "bad", READ_NULL + MOV_0 + EXIT, "GPL")


def test_what_the_kernel_does_not_know_is_an_error_of_one_line() -> None:
    with pytest.raises(BpfError, match="cannot make the map odd: invalid argument"):
        Map.create("odd", Shape(9999, 4, 8, 1, 0))
