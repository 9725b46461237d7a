"""Two minutes of what ``./dev soak`` does for as long as you like: nothing lost, nothing left, nothing grown.

``RECONCILER_SOAK`` asks for another number of seconds; ``RECONCILER_SEED`` repeats a run;
``-m 'not soak'`` leaves it out.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.soak.__main__ import table
from tests.soak.pings import Pings
from tests.soak.soak import Soak
from tests.soak.watch import Sample, judged

SECONDS = float(os.environ.get("RECONCILER_SOAK", "120"))
SEED = int(os.environ.get("RECONCILER_SEED", "0")) or int.from_bytes(os.urandom(4), "big")
SUBSCRIBERS = 2000
INTERVAL = 2.0


@pytest.mark.root
@pytest.mark.soak
@pytest.mark.timeout(900)
def test_two_thousand_subscribers_notice_nothing(tmp_path: Path) -> None:
    sys.stdout.write(f"RECONCILER_SEED={SEED}\n")
    found = Soak(tmp_path, SUBSCRIBERS, SEED, INTERVAL).run(SECONDS)
    sys.stdout.writelines(f"{line}\n" for line in table(found))
    assert found.wrong == []
    assert found.answered > SUBSCRIBERS * SECONDS / INTERVAL / 4, "it was a busy street"


def test_a_ping_is_lost_that_has_no_answer_unless_the_link_was_being_agreed_on() -> None:
    target = bytes([10, 9, 0, 2])
    pings = Pings(7, target)

    def ask(now: float, *, answered: bool) -> None:
        packet = pings.ask(now)
        if answered:
            pings.take(packet[:12] + target + packet[12:16] + b"\0" + packet[21:])

    pings.speak_as(bytes([10, 0, 0, 1]))
    pings.doubt(100.0)
    ask(100.1, answered=False)
    assert len(pings.waiting) == 1, "as long as nothing is ever answered"
    ask(102.1, answered=True)
    assert (pings.early, pings.waiting) == (1, {})
    ask(104.1, answered=False)
    ask(106.1, answered=True)
    pings.doubt(107.0)
    ask(108.1, answered=True)
    assert (pings.early, list(pings.waiting.values())) == (1, [104.1]), "what had been lost before stays lost"


def test_a_process_that_grows_is_found_out() -> None:
    steady = [Sample(20, 50_000 + second % 7) for second in range(60)]
    assert judged(steady).flat
    assert not judged([Sample(20 + second // 4, 50_000) for second in range(60)]).flat
    assert not judged([Sample(20, 50_000 + 3000 * second) for second in range(60)]).flat
