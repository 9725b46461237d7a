"""``python -m bench [NAME ...]``: run benchmarks, print their tables, keep the numbers and draw them.

Needs root, since it makes network namespaces. Numbers go to ``bench/results``, which is not kept; with
``--publish`` also to ``docs/performance``, where the page about them finds them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bench import chart, machine
from bench.report import Report, as_json, as_markdown, as_text, from_json
from bench.world import ROOT, sweep

NAMES: Final = ("setup", "edit", "restart", "idle", "datapath", "tcp", "peers")
"""Each is a module here with ``run(*, quick: bool) -> Report``."""

RESULTS: Final = ROOT / "bench" / "results"
PUBLISHED: Final = ROOT / "docs" / "performance"
PAGE: Final = ROOT / "docs" / "performance.md"


def main() -> int:
    """Run what is asked for."""
    arguments = _arguments()
    if os.geteuid() != 0:
        sys.stderr.write("bench: run as root: it makes network namespaces\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    sweep()
    for name in arguments.names or NAMES:
        before = machine.describe()
        run: Callable[..., Report] = import_module(f"bench.{name}").run
        report = run(quick=arguments.quick)
        sys.stdout.write(f"{as_text(report)}\n{machine.sentence(before)}\n\n")
        sys.stdout.flush()
        document = as_json(report, {**before, "command": f"./dev bench {name}"})
        _keep(RESULTS, report, document)
        if arguments.publish:
            _keep(PUBLISHED, report, document)
            publish()
    return 0


def publish() -> None:
    """Write the tables on the page anew, from the numbers beside it."""
    page = PAGE.read_text()
    for file in sorted(PUBLISHED.glob("*.json")):
        document = json.loads(file.read_text())
        begin, end = f"<!-- {file.stem} -->", f"<!-- end of {file.stem} -->"
        text = f"{begin}\n{section(document)}{end}"
        page = re.sub(f"{begin}.*?{end}", lambda _, text=text: text, page, flags=re.DOTALL)  # type: ignore[misc]
    PAGE.write_text(page)


def section(document: dict[str, Any]) -> str:
    """A benchmark's part of the page."""
    measured = document["machine"]
    how = f"`{measured['command']}` on {machine.sentence(measured)}"
    return f"{as_markdown(from_json(document))}\n{how}\n"


def _keep(directory: Path, report: Report, document: dict[str, Any]) -> None:
    directory.mkdir(exist_ok=True)
    (directory / f"{report.name}.json").write_text(json.dumps(document, indent=1) + "\n")
    for one in report.charts:
        (directory / f"{one.name}.svg").write_text(chart.svg(one))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measure; as root.")
    parser.add_argument("names", nargs="*", choices=NAMES, metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="small numbers only, to see that it works")
    parser.add_argument("--publish", action="store_true", help="also write docs/performance.md anew")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
