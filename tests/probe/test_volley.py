"""A few pings without the kernel's help."""

from __future__ import annotations

from scapy.layers.inet import ICMP, IP

from reconciler.probe import icmp
from reconciler.probe.pinger import PATIENCE
from reconciler.probe.volley import INTERVAL, SIZE, Volley


def answer(packet: bytes) -> bytes:
    asked = IP(packet)
    reply = ICMP(type="echo-reply", id=asked[ICMP].id, seq=asked[ICMP].seq)
    return bytes(IP(src=asked.dst, dst=asked.src) / reply)


def test_all_are_sent_in_time_and_accounted_for() -> None:
    volley, now, sent = Volley("10.0.0.8", "8.8.8.8", 77, 100.0), 100.0, 0
    while not volley.over:
        now = max(now, volley.deadline())
        packet = volley.tick(now)
        if packet is not None:
            sent += 1
            assert volley.tick(now) is None, "one at a time"
            if sent != 2:
                volley.receive(answer(packet), now + 0.01)
    assert sent == SIZE
    report = volley.ledger.report()
    assert (report["sent"], report["received"], report["lost"]) == (3, 2, 1)
    assert now < 100.0 + INTERVAL * (SIZE + 1) + PATIENCE, "it does not wait for ever"


def test_others_answers_do_not_count() -> None:
    volley = Volley("10.0.0.8", "8.8.8.8", 77, 100.0)
    assert volley.tick(100.0)
    for source, identifier in (("9.9.9.9", 77), ("8.8.8.8", 78)):
        volley.receive(bytes(IP(src=source) / ICMP(type="echo-reply", id=identifier, seq=1)), 100.1)
    volley.receive(b"", 100.1)
    assert volley.ledger.report()["received"] == 0
    assert icmp.reply(b"") is None
