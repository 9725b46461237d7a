"""An error that nobody catches tells where it was, and nothing of what it was about."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """\
import sys, threading
from reconciler import blame
blame.instead_of_tracebacks()

def clumsy():
    raise KeyError("hunter2")

if sys.argv[1] == "thread":
    thread = threading.Thread(target=clumsy)
    thread.start()
    thread.join()
else:
    clumsy()
"""


def said(where: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, where]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_the_main_thread_ends_with_a_line_that_says_where() -> None:
    done = said("main")
    assert done.returncode == 1
    assert done.stderr == "ended by a bug: KeyError in clumsy (<string>:6) < <module> (<string>:13)\n"


def test_so_does_any_other_thread() -> None:
    done = said("thread")
    assert done.stderr.startswith("ended by a bug: KeyError in clumsy (<string>:6) < run (")
    assert "hunter2" not in done.stderr
