"""Machine output, described once: by a TypedDict beside the code that makes it, whence comes its schema.

The type checker holds the code to the TypedDict, and the tests hold what commands really print to the schema.
Further keys may come in later versions, so a schema does not forbid any. Quick to import; it must not know
what is described.
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Shape = TypeVar("Shape", bound=type)


def described(shape: Shape) -> Shape:
    """Makes the texts below a TypedDict's keys the descriptions of its schema."""
    shape.__pydantic_config__ = {"use_attribute_docstrings": True}  # type: ignore[attr-defined]
    return shape


def schema_of(shape: Any, title: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of what has this shape."""
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

    class Generator(GenerateJsonSchema):
        """No key has a title beside its name."""

        def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the base's signature
            return False

    schema = _plain(TypeAdapter(shape).json_schema(schema_generator=Generator))
    return {"$schema": DIALECT, **schema, "title": title}


def _plain(schema: Any) -> Any:
    """The same with descriptions in one line each, and one sign for what is code."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: " ".join(value.replace("``", "`").split())
        if key == "description" and isinstance(value, str)
        else _plain(value)
        for key, value in schema.items()
    }


def as_text(schema: dict[str, Any]) -> str:
    """A schema as it is written into a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
