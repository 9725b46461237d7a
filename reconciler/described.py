"""Machine output, described once: by a TypedDict beside the code that makes it, whence comes its schema.

The type checker holds the code to the TypedDict, and the tests hold what commands really print to the schema.
Further keys may come in later versions, so a schema does not forbid any. It must not know what is described.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from pydantic import ConfigDict, TypeAdapter, with_config
from pydantic.json_schema import GenerateJsonSchema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Shape = TypeVar("Shape", bound=type)


def described(shape: Shape) -> Shape:
    """Makes the texts below a TypedDict's keys the descriptions of its schema."""
    configured: Shape = with_config(ConfigDict(use_attribute_docstrings=True))(shape)
    return configured


def schema_of(shape: Any, title: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of what has this shape."""
    schema = TypeAdapter(shape).json_schema(schema_generator=_Generator)
    return {"$schema": DIALECT, **schema, "title": title}


class _Generator(GenerateJsonSchema):
    """No key has a title beside its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the base's signature
        return False
