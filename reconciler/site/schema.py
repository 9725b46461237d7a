"""The JSON schema of site.yaml, for editors and other people's checks.

Generated from the model; ``schemas/site.schema.json`` is this module's output, and a test compares them. A
schema sees values as YAML types them, so where the text counts (a password ``0123``) it admits what YAML
makes of it. This module must not hold what the model already says.
"""

from __future__ import annotations

import json
from typing import Any, Final, get_args

from pydantic.json_schema import GenerateJsonSchema

from reconciler.site.model import Site
from reconciler.site.secrets import SOURCES
from reconciler.site.tables import Healing

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final[list[str]] = ["string", "number", "boolean"]
"""How YAML may type a scalar whose text is meant."""
_LISTED: Final = ("type", "items", "minItems", "uniqueItems")


def site_schema() -> dict[str, Any]:
    """The schema as a JSON-ready object (JSON Schema draft 2020-12)."""
    schema = Site.model_json_schema(schema_generator=_Generator)
    properties, user = schema["properties"], schema["$defs"]["User"]
    user["oneOf"] = [{"required": [source]} for source in SOURCES]
    users, healing = properties["users"], properties["self_heal"]
    short_form = {"description": "The user's password."}
    users["additionalProperties"] = {"anyOf": [short_form, users["additionalProperties"]]}
    for text in (short_form, user["properties"]["password"], properties["ac_name"]):
        text |= {"type": _TEXT, "minLength": 1, "maxLength": 255}
    user["properties"]["password_hash"]["pattern"] = r"^\$(scrypt|7)\$"
    user["properties"]["password_age"]["pattern"] = (
        r"^\s*(-----BEGIN AGE [^$]*-----END AGE|YWdlLWVuY3J5cHRpb24ub3JnL3Yx)"
    )
    user["properties"]["nt_hash"] |= {"type": _TEXT, "pattern": "^[0-9A-Fa-f]{32}$"}
    properties["service_names"]["items"]["type"] = _TEXT
    properties["age_recipients"]["items"]["pattern"] = "^age1[02-9ac-hj-np-z]{58}$"
    for key in (
        "age_recipients",
        "auth",
        "deny_warnings",
        "dns_servers",
        "interface",
        "service_names",
        "wins_servers",
    ):
        properties[key]["uniqueItems"] = True
    uplinks = schema["$defs"]["Nat"]["properties"]["masquerade"]
    uplinks["uniqueItems"] = True
    for one_or_more in (properties["interface"], uplinks):
        as_list = {key: one_or_more.pop(key) for key in _LISTED if key in one_or_more}
        one_or_more["anyOf"] = [as_list["items"], as_list]
    word = {"enum": list(get_args(Healing))}
    healing["anyOf"] = [word, {"$ref": healing.pop("$ref")}]
    return {"$schema": DIALECT, **schema, "title": "site.yaml"}


def as_json() -> str:
    """The text of ``schemas/site.schema.json``."""
    return json.dumps(site_schema(), indent=2, ensure_ascii=False) + "\n"


class _Generator(GenerateJsonSchema):
    """Optional keys are left out, never null; no key has a title beside its name."""

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> dict[str, Any]:
        result = super().default_schema(schema)
        if result.get("default") is None or "$ref" in result:
            result.pop("default", None)
        return result

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False
