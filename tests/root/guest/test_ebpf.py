"""The eBPF data path on another kernel: Debian 12's own, 6.1, as user-mode Linux.

It has a verifier that knows less, no links for tc, no unaligned reads, and VLAN devices and bonds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.root.guest.vm import Guest

pytestmark = [pytest.mark.root, pytest.mark.guest, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
FILES = (
    HERE.parent / "test_linux_bpf.py",
    HERE.parent / "test_linux_packet.py",
    HERE.parent / "test_datapaths.py",
    HERE.parent / "ebpf",
    HERE / "inside.py",
)
MODULES = "veth tun cls_bpf sch_ingress bridge 8021q bonding"


def test_it_works_on_the_kernel_of_debian_12(guest: Guest) -> None:
    done = guest.run(
        f"modprobe -d /run/root -a {MODULES}\nmkdir -p /run/tests\ncd {HERE.parents[2]}\n"
        f"TMPDIR=/run {sys.executable} -m pytest -q -p no:cacheprovider --basetemp=/run/tests/now"
        f" -k 'not tun' {' '.join(map(str, FILES))}\n",
        wait=10 * PATIENCE,
    )
    assert done.status == 0, done.output
    assert " passed" in done.output
    assert "skipped" not in done.output, done.output
