"""What the numbers were measured on, and how busy it was with other things."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Processor, cores, kernel, Python, the load before we came, and when."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def sentence(machine: dict[str, Any]) -> str:
    """The same for people."""
    return (
        f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}, Python"
        f" {machine['python']}, {machine['date']}; load average before it began: {machine['load']}."
    )
