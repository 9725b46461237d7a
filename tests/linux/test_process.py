"""What the kernel tells of a process."""

from __future__ import annotations

import os
import subprocess
import time

from reconciler.linux.process import usage


def test_a_process_is_seen_as_it_is() -> None:
    used = usage(os.getpid())
    assert used is not None
    assert used.memory > 1 << 20
    assert used.descriptors >= 4, "three of its own, and that which counts them"
    assert abs(used.cpu - sum(os.times()[:2])) < 1.0
    assert 0 < time.time() - used.started < 86400 * 365


def test_a_process_that_is_gone_uses_nothing() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
        assert usage(gone.pid) is None
