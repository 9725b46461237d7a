"""Writing texts as YAML: what is read back is exactly the characters that were given.

The counterpart of ``site.compose`` for single values. Quotes are used wherever this reader, or a stricter
or looser one, could see anything but the text. This module must not know keys, layouts or files.
"""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.@+/-]*|[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
"""Words and addresses, which no YAML takes for anything else, in brackets or not."""

_TYPED: Final = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
"""Words that some YAML takes for a truth value or for nothing."""

_ESCAPED: Final = re.compile(
    "[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def written(text: str) -> str:
    """``text`` as a YAML scalar that may stand anywhere: plain, in single quotes, or in double quotes with
    escapes.

    :raises ValueError: lone surrogates, which no UTF-8 file can hold.
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _TYPED:
        return text
    if not _ESCAPED.search(text):
        return "'" + text.replace("'", "''") + "'"
    text.encode()
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _ESCAPED.sub(_escape, inner) + '"'


def truth(value: bool) -> str:
    """``true`` or ``false``, as the model reads it."""
    return "true" if value else "false"


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
