"""The schema that editors use says the same as the loader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from reconciler.site.load import load
from reconciler.site.schema import DIALECT, as_json, site_schema
from reconciler.site.secrets import Secret
from tests.site.samples import FLAWS, GOOD, Flaw, with_line, with_users

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "site.yaml"

BEYOND_A_SCHEMA = {
    # Rules that take two values to break, and spellings that YAML's types have resolved already.
    "E104", "E122", "E123", "E133", "E140", "E141", "E142", "E143", "E145", "E154",
    "W201", "W202", "W203", "W204", "W210",
}  # fmt: skip


def valid(text: str) -> bool:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return bool(jsonschema.Draft202012Validator(site_schema(), format_checker=checker).is_valid(parsed(text)))


def parsed(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_the_schema_in_the_repository_is_the_models() -> None:
    assert (ROOT / "schemas" / "site.schema.json").read_text() == as_json(), (
        "write site.schema.as_json() there"
    )


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(site_schema())
    assert site_schema()["$schema"] == DIALECT


def test_every_key_is_described() -> None:
    schema = site_schema()
    tables = [schema, *schema["$defs"].values()]
    undescribed = [
        key for table in tables for key, value in table["properties"].items() if "description" not in value
    ]
    assert undescribed == ["forwarding"], "its description is the definition's"
    assert all(table["additionalProperties"] is False for table in tables)


def test_the_example_is_valid_and_loads_without_a_finding() -> None:
    text = EXAMPLE.read_text()
    assert text.startswith("# yaml-language-server: $schema=../schemas/site.schema.json\n")
    assert valid(text)
    loaded = load(text, "site.yaml")
    assert loaded.findings == ()
    assert loaded.site is not None
    assert list(loaded.site.users) == ["theo", "pablo", "yunhan"]
    assert all(user.password == Secret("test") for user in loaded.site.users.values())


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        with_users("a: 0123", "b: no", "c: 1e5", "d: {password: 12}", "e: {password_file: f, ip: 10.0.0.1}"),
        GOOD.replace("eth0", "[eth0, eth1]"),
        with_line("ac_name: 42\nservice_names: [1, two]\nauth: [pap]\nlcp_echo: {interval: 0}"),
    ],
)
def test_what_loads_is_valid(text: str) -> None:
    assert load(text, "site.yaml").site is not None
    assert valid(text)


@pytest.mark.parametrize(
    "flaw",
    [flaw for flaw in FLAWS if flaw.code >= "E120" and flaw.code not in BEYOND_A_SCHEMA],
    ids=lambda flaw: f"{flaw.code}-{flaw.why}",
)
def test_what_the_schema_can_say_it_refuses(flaw: Flaw) -> None:
    beyond = {"a long password", "a modem's", "a hash cut short", "too much work", "of nothing"}
    names = {"a slash", "too long", "no name", "a name with an escape", "no file name", "no variable name"}
    assert isinstance(flaw.text, str)
    assert valid(flaw.text) == (flaw.why in beyond | names)
