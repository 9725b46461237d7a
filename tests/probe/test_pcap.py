"""The pcap file, as another program reads it."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from scapy.utils import PcapReader

from reconciler.probe.codec import BROADCAST, Code, Discovery, write
from reconciler.probe.pcap import Pcap

AT = 1_760_000_000_123_456_789
FRAMES = [write(Discovery(BROADCAST, bytes([2, 0, 0, 0, 0, n]), Code.PADI)) for n in range(3)]


def test_frames_and_times_come_back_as_they_were() -> None:
    file = io.BytesIO()
    pcap = Pcap(file)
    for number, frame in enumerate(FRAMES):
        pcap.write(AT + number * 1_000_000, frame)
    assert pcap.written == 3
    file.seek(0)
    with PcapReader(file) as reader:
        packets = list(reader)
    assert [bytes(packet) for packet in packets] == FRAMES
    assert [round(float(packet.time) - 1_760_000_000, 6) for packet in packets] == [
        0.123456,
        0.124456,
        0.125456,
    ]


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="needs tcpdump")
def test_tcpdump_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    with path.open("wb") as file:
        Pcap(file).write(AT, FRAMES[0])
    shown = subprocess.run(["tcpdump", "-er", path], capture_output=True, text=True, check=True)
    assert "PPPoE PADI" in shown.stdout
