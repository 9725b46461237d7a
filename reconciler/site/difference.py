"""Two texts of a site file side by side, as a unified diff in which no secret can be seen.

What differs is found in the texts; what is shown comes from ``Source.excerpt``, which leaves comments out and
holds passwords back. A changed password is a line that goes and one that comes, which look the same.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from reconciler.site.source import Source

_AROUND = 2


def as_diff(old: bytes, new: bytes, before: Source, after: Source) -> str:
    """The lines that differ with two lines around them; empty when none does. Both texts are UTF-8."""
    if old == new:
        return ""
    lines = (old.decode().split("\n"), new.decode().split("\n"))
    matcher = difflib.SequenceMatcher(None, *lines, autojunk=False)
    shown = [f"--- {before.name}", f"+++ {after.name}"]
    for group in matcher.get_grouped_opcodes(_AROUND):
        first, last = group[0], group[-1]
        shown.append(f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@")
        for tag, begin, end, new_begin, new_end in group:
            if tag == "equal":
                shown += _lines(" ", before, begin, end)
                continue
            shown += _lines("-", before, begin, end)
            shown += _lines("+", after, new_begin, new_end)
    return "".join(f"{line}\n" for line in shown)


def _range(begin: int, end: int) -> str:
    return f"{begin + 1},{end - begin}"


def _lines(sign: str, source: Source, begin: int, end: int) -> Iterator[str]:
    for number in range(begin + 1, end + 1):
        excerpt = source.excerpt(number)
        yield (sign + "".join(excerpt.pieces if excerpt else ())).rstrip()
