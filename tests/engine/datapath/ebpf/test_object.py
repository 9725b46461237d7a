"""The eBPF object that ships is what its source compiles to, and says what the loader makes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.engine.access.table import LAST_ID
from reconciler.engine.datapath.ebpf import elf, kernel, layout
from reconciler.linux.bpf import Shape
from tests.missing import do_without

ROOT = Path(__file__).parents[4]
CLANG = "Debian clang version 14."


def test_it_is_what_its_source_compiles_to(tmp_path: Path) -> None:
    try:
        version = subprocess.run(["clang", "--version"], capture_output=True, text=True, check=True).stdout
    except OSError:
        version = "none"
    if not version.startswith(CLANG):
        do_without(f"needs clang 14 of Debian 12, not {version.splitlines()[0]}")
    again = tmp_path / "again.o"
    subprocess.run(["./dev", "bpf", str(again)], cwd=ROOT, check=True)
    assert again.read_bytes() == kernel.OBJECT.read_bytes(), "compile it again: ./dev bpf"


def test_its_maps_have_the_layout_that_python_writes() -> None:
    maps = elf.read(kernel.OBJECT.read_bytes()).maps
    session = len(layout.Session(1, bytes(6), 1492, bytes(4), bytes(6)).pack())
    assert session == 64, "a line of the cache"
    sizes = {name: (shape.key_size, shape.value_size) for name, shape in maps.items()}
    assert sizes == {
        "sessions": (4, session),
        "addresses": (4, 8),
        "counts": (4, 32),
        "ports": (4, len(layout.Port(1, True).pack())),
        "device": (4, len(layout.Device(1, bytes(6)).pack())),
        "drops": (4, 8),
        "told": (4, 8),
    }
    assert maps["drops"].entries >= len(layout.Dropped)
    assert maps["sessions"].entries > LAST_ID
    assert maps["addresses"].entries * 4 == layout.PLACES


def test_its_programs_refer_to_its_maps_alone() -> None:
    made = elf.read(kernel.OBJECT.read_bytes())
    assert set(made.programs) == {"xdp", "tc", "socket"}
    assert made.licence == "GPL"
    for program in made.programs.values():
        assert set(program.maps.values()) <= set(made.maps)
        code = program.relocated(dict.fromkeys(made.maps, 77))
        for place in program.maps:
            assert code[place + 1] >> 4 == 1, "the load is of a map's descriptor"
            assert int.from_bytes(code[place + 4 : place + 8], "little") == 77


@pytest.mark.parametrize("cut", [0, 3, 64, 1000, 6000])
def test_a_damaged_object_is_refused(cut: int) -> None:
    whole = kernel.OBJECT.read_bytes()
    with pytest.raises(elf.NotOurObjectError):
        elf.read(whole[:cut])


def test_another_machines_object_is_refused() -> None:
    whole = bytearray(kernel.OBJECT.read_bytes())
    whole[18:20] = (62).to_bytes(2, "little")
    with pytest.raises(elf.NotOurObjectError, match="no little-endian object for eBPF"):
        elf.read(bytes(whole))


def test_what_is_written_is_read_back() -> None:
    session = layout.Session(5, b"\2\xc1\0\0\0\1", 1492, b"\x0a\0\0\1", b"\2ac\0\0\1")
    packed = session.pack()
    assert layout.Session.unpack(packed) == session
    assert packed[layout.MTU :][:2] == (1492).to_bytes(2, "little")
    assert packed[layout.AC_MAC :][:6] == session.ac_mac
    assert not any(packed[layout.BEHIND :]), "nobody behind it, nothing counted"
    assert layout.Port.unpack(layout.Port(9, True).pack()) == layout.Port(9, True)
    assert layout.Device.unpack(layout.Device(4, b"\2near\1").pack()) == layout.Device(4, b"\2near\1")


def test_a_map_is_five_numbers() -> None:
    assert elf.read(kernel.OBJECT.read_bytes()).maps["device"] == Shape(2, 4, 12, 1, 0)
