"""``./dev fuzz [SECONDS] [TARGET ...]``: look for what does not hold, guided by coverage.

What a run finds is put beside the corpus as ``crash-...``; what it learns goes to ``build/fuzz``. With
``--keep`` the corpus in the repository is made anew from both: the fewest stories with the same coverage.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from hashlib import blake2s
from pathlib import Path

import atheris

from tests.fuzz.keep import worth_keeping

with atheris.instrument_imports(include=["reconciler"]):
    from tests.fuzz.seeds import seeds
    from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus"
LEARNT = ROOT / "build" / "fuzz"
LONGEST = 2048
"""Octets of a story at most."""


def main() -> int:
    """Each target in a process of its own, one after the other. Status 1: something does not hold."""
    arguments = _arguments()
    if arguments.only:
        return _fuzz(arguments.only, arguments.rest)
    share = arguments.seconds // len(arguments.targets)
    failed = [name for name in arguments.targets if share and not _run(name, share)]
    if arguments.keep and not failed:
        for name in arguments.targets:
            _keep(name)
    sys.stderr.write(f"fuzz: {'does not hold: ' + ', '.join(failed) if failed else 'all holds'}\n")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev fuzz", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=int, default=60, help="for all together; 0: none")
    parser.add_argument("targets", nargs="*", default=list(TARGETS), metavar="TARGET")
    parser.add_argument("--keep", action="store_true", help="make the corpus anew")
    parser.add_argument("--only", choices=list(TARGETS), help=argparse.SUPPRESS)
    parser.add_argument("--rest", nargs=argparse.REMAINDER, default=[], help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(name: str, seconds: int) -> bool:
    learnt, known = LEARNT / name, CORPUS / name
    learnt.mkdir(parents=True, exist_ok=True)
    known.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        if len(seed) <= LONGEST:
            (learnt / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=30", "-print_final_stats=1"]
    return _child(name, *limits, f"-artifact_prefix={known}/crash-", str(learnt), str(known))


def _keep(name: str) -> None:
    """The corpus anew: what it had and what has been learnt, as far as it is worth it."""
    known = CORPUS / name
    stories = [path.read_bytes() for folder in (known, LEARNT / name) for path in sorted(folder.iterdir())]
    kept = worth_keeping(TARGETS[name], stories)
    shutil.rmtree(known)
    known.mkdir()
    for story in kept:
        (known / blake2s(story, digest_size=8).hexdigest()).write_bytes(story)
    sys.stderr.write(f"fuzz: {name}: {len(kept)} of {len(stories)} stories kept\n")


def _child(name: str, *options: str) -> bool:
    command = [sys.executable, "-m", "tests.fuzz", "--only", name, "--rest", *options]
    return subprocess.run(command, check=False, cwd=ROOT).returncode == 0


def _fuzz(name: str, options: list[str]) -> int:
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
