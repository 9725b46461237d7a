"""Findings as SARIF 2.1.0, which code scanning of forges and editors reads.

The rules are the catalogue of ``site.codes``. A finding's fingerprint stays when lines move, so that what was
dismissed once is not told again. Neighbour: ``site.report`` has the other forms. It must not know what is
wrong with a site.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from reconciler.site.codes import CATALOGUE, NOTES
from reconciler.site.diagnostic import Diagnostic
from reconciler.site.place import Place

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_FINGERPRINT: Final = "findingHash/v1"
_RULES: Final = tuple(CATALOGUE)


def as_sarif(files: Mapping[str, Iterable[Diagnostic]], version: str) -> dict[str, Any]:
    """One run over all ``files``: findings by what the file is called. ``version`` is ours."""
    results: list[dict[str, Any]] = []
    for name, findings in files.items():
        results += _results(findings, _uri(name))
    driver = {"name": "reconciler", "version": version, "rules": [_rule(code) for code in _RULES]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    text = CATALOGUE[code]
    level = "note" if code in NOTES else "error" if code.startswith("E") else "warning"
    return {
        "id": code,
        "shortDescription": {"text": text.partition(". ")[0].removesuffix(".") + "."},
        "fullDescription": {"text": text},
        "defaultConfiguration": {"level": level},
    }


def _results(findings: Iterable[Diagnostic], uri: str) -> Sequence[dict[str, Any]]:
    seen: Counter[tuple[str, str]] = Counter()
    results = []
    for finding in findings:
        what = (finding.code, finding.message)
        results.append(_result(finding, uri, seen[what]))
        seen[what] += 1
    return results


def _result(finding: Diagnostic, uri: str, repetition: int) -> dict[str, Any]:
    advice = f"\nhelp: {finding.help}" if finding.help else ""
    content = "\0".join((finding.code, uri, finding.message, str(repetition)))
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": _RULES.index(finding.code),
        "level": finding.severity,
        "message": {"text": finding.message + advice},
        "locations": [_location(uri, finding.place)],
        "partialFingerprints": {_FINGERPRINT: hashlib.sha256(content.encode()).hexdigest()[:32]},
    }
    if finding.related:
        result["relatedLocations"] = [
            {**_location(uri, related.place), "id": number, "message": {"text": related.label}}
            for number, related in enumerate(finding.related)
        ]
    return result


def _location(uri: str, place: Place | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if place is not None:
        physical["region"] = {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        }
    return {"physicalLocation": physical}


def _uri(name: str) -> str:
    """A path as a URI, relative where the path is (RFC 3986 §4.1)."""
    path = quote(name.removeprefix("./"), errors="surrogateescape")
    if name.startswith("/"):
        return f"file://{path}"
    # A colon in the first step of a relative one would make that a scheme (§4.2); quote() escapes it.
    return path
