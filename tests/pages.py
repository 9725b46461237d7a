"""Pages of the documentation whose commands are run: what they say to type, and what it is said to print."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import NamedTuple

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Example(NamedTuple):
    """A command of a page and what it is said to print."""

    section: str
    command: str
    output: str

    def check(self, said: str) -> None:
        """Compare with what was printed: ``...`` stands for anything, and blanks are alike."""
        assert doctest.OutputChecker().check_output(self.output, said, FLAGS), (
            f"$ {self.command}\n{said}\nThe page has:\n{self.output}"
        )


def examples(page: Path) -> list[Example]:
    """The commands in a page's ``console`` blocks, in order; ``section`` is the title above each."""
    found = []
    for section in re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        for block in blocks(section, "console"):
            for command, output in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, flags=re.MULTILINE):
                found.append(Example(title, command, output))
    return found


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code in a language."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return found
