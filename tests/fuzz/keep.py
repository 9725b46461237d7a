"""Which stories are worth keeping: the shortest ones that together go wherever any of them goes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

_OURS = "/reconciler/"

Step = tuple[str, int, int]
"""From one line to the next, in a file of ours."""


def worth_keeping(target: Callable[[bytes], None], stories: Iterable[bytes]) -> list[bytes]:
    """The stories, shortest first, each of which takes a step that none before it took."""
    seen: set[Step] = set()
    kept = []
    for story in sorted(set(stories), key=lambda story: (len(story), story)):
        steps = _steps(target, story)
        if steps - seen:
            seen |= steps
            kept.append(story)
    return kept


def _steps(target: Callable[[bytes], None], story: bytes) -> set[Step]:
    steps: set[Step] = set()

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        name = frame.f_code.co_filename
        if _OURS not in name or "/tests/" in name:
            return None
        last = frame.f_lineno

        def step(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal last
            if event == "line":
                steps.add((name, last, frame.f_lineno))
                last = frame.f_lineno
            return step

        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        target(story)
    finally:
        sys.settrace(before)
    return steps
