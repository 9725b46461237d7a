"""SARIF: what code scanning expects of a document, and fingerprints that survive moved lines."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from reconciler.site.codes import CATALOGUE
from reconciler.site.diagnostic import Diagnostic
from reconciler.site.load import load
from reconciler.site.place import Place
from reconciler.site.sarif import as_sarif
from tests.site.samples import FLAWS, GOOD, with_users

_MESSAGE = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 1}},
    "required": ["text"],
}
_COUNT = {"type": "integer", "minimum": 1}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_LOCATION = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": -1},
        "message": _MESSAGE,
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "properties": {"uri": {"type": "string", "format": "uri-reference"}},
                },
                "region": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), _COUNT),
                },
            },
        },
    },
    "additionalProperties": False,
}
SHAPE: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string"},
                                                "shortDescription": _MESSAGE,
                                                "fullDescription": _MESSAGE,
                                                "defaultConfiguration": {
                                                    "type": "object",
                                                    "properties": {"level": _LEVEL},
                                                },
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": -1},
                                "level": _LEVEL,
                                "message": _MESSAGE,
                                "locations": {"type": "array", "items": _LOCATION},
                                "relatedLocations": {
                                    "type": "array",
                                    "uniqueItems": True,
                                    "items": _LOCATION,
                                },
                                "partialFingerprints": {
                                    "type": "object",
                                    "additionalProperties": {"type": "string"},
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
"""As much of the official schema as this document uses, with nothing beyond it allowed."""


def results(text: str | bytes, name: str = "site.yaml") -> list[dict[str, Any]]:
    document = as_sarif({name: load(text, name).findings}, "1.0")
    jsonschema.Draft202012Validator(SHAPE).validate(document)
    found: list[dict[str, Any]] = document["runs"][0]["results"]
    return found


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: f"{flaw.code}-{flaw.why}")
def test_every_finding_fits_the_schema_and_has_its_rule(flaw: Any) -> None:
    rules = as_sarif({}, "1.0")["runs"][0]["tool"]["driver"]["rules"]
    found = results(flaw.text)
    assert flaw.code in {result["ruleId"] for result in found}
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in found)


def test_the_rules_are_the_catalogue() -> None:
    document = as_sarif({}, "1.0")
    jsonschema.Draft202012Validator(SHAPE).validate(document)
    rules = document["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CATALOGUE)
    assert rules[0]["defaultConfiguration"] == {"level": "error"}
    assert rules[0]["shortDescription"]["text"].endswith(".")


def test_a_finding_has_its_range_and_what_it_refers_to() -> None:
    (found,) = (one for one in results(with_users("theo: other")) if one["ruleId"] == "E103")
    assert found["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 7,
        "startColumn": 3,
        "endLine": 7,
        "endColumn": 7,
    }
    assert found["relatedLocations"][0]["message"] == {"text": "first given here"}
    assert "help: keep one of them" in found["message"]["text"]


def test_a_fingerprint_stays_when_lines_move_and_tells_equal_findings_apart() -> None:
    text = with_users("a: {ip: 10.0.0, password: x}", "a: x", "a: y")
    before, after = results(text), results("# one more line\n\n" + text)
    assert [one["partialFingerprints"] for one in before] == [one["partialFingerprints"] for one in after]
    assert [one["locations"] for one in before] != [one["locations"] for one in after]
    prints = [json.dumps(one["partialFingerprints"]) for one in before]
    assert len(set(prints)) == len(prints) > 2


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("site.yaml", "site.yaml"),
        ("./sites/a b#c.yaml", "sites/a%20b%23c.yaml"),
        ("/etc/reconciler/site.yaml", "file:///etc/reconciler/site.yaml"),
        ("a:b.yaml", "a%3Ab.yaml"),
        ("\udcff.yaml", "%FF.yaml"),
    ],
)
def test_a_file_is_named_as_a_uri(name: str, uri: str) -> None:
    finding = Diagnostic("E102", "nothing is declared")
    document = as_sarif({name: [finding]}, "1.0")
    location = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location == {"artifactLocation": {"uri": uri}}


def test_several_files_are_one_run() -> None:
    finding = Diagnostic("W203", "looks odd", Place(2, 3, 2, 5))
    document = as_sarif({"a.yaml": [finding], "b.yaml": [finding], "c.yaml": []}, "1.0")
    first, second = document["runs"][0]["results"]
    assert first["partialFingerprints"] != second["partialFingerprints"]
    assert first["level"] == "warning"


def test_no_password_is_shown() -> None:
    assert "hunter2" not in json.dumps(results(GOOD + "  a: [hunter2]\n  b: !hunter2\n"))
