"""How a benchmark's helper process is told what to do: a JSON object a line on standard input, and the answer
to each as another on standard output. The other side is ``world.Worker``.
"""

from __future__ import annotations

import json
import sys


def serve(worker: object) -> None:
    """Carry out orders until there are no more: ``do`` names the worker's method, the rest are arguments."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = getattr(worker, order.pop("do"))(**order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
