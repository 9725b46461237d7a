"""Plans in files: what ``apply --dry-run --out`` writes and ``apply`` takes. No secret is in them.

It must not know whether a plan is still good: the daemon says so.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from reconciler.cli.common import Failure

FORMAT_VERSION: Final = 1
_LONGEST: Final = 128 << 20


def write(out: Path, plan: Any, site: Path, text: bytes) -> None:
    """Save a plan for ``site``, whose content is ``text``. Raises :class:`Failure`."""
    document = {
        "format_version": FORMAT_VERSION,
        "saved_for": str(site.absolute()),
        "sha256": hashlib.sha256(text).hexdigest(),
        "plan": plan,
    }
    try:
        out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot write {out}: {error.strerror}") from None


def read(path: Path) -> dict[str, Any] | None:
    """The saved plan in a file; None when it holds anything else, as a site. Raises :class:`Failure`."""
    try:
        with path.open("rb") as file:
            if file.read(1) != b"{":
                return None
            text = b"{" + file.read(_LONGEST)
    except OSError:
        return None  # whoever reads it as a site says why
    try:
        document = json.loads(text)
    except ValueError:
        return None
    if not isinstance(document, dict) or "saved_for" not in document:
        return None
    if document.get("format_version") != FORMAT_VERSION or not isinstance(document.get("plan"), dict):
        raise Failure(f"{path} is a plan of another version of this program: make it anew")
    return document
