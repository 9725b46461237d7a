"""What commands print for machines, by name: the types of which ``reconciler schema`` makes JSON schemas.

``schemas/NAME.schema.json`` is this module's output, and the tests hold what commands really print to it. It
must not know how a command comes to its answer.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from reconciler.control import answers
from reconciler.control.schema import Schemas
from reconciler.plan.render.document import PlanView
from reconciler.site.machine import FindingView

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class Output(NamedTuple):
    """``command`` prints it; ``shape`` is its type."""

    command: str
    shape: Any


OUTPUTS: Final = {
    "plan": Output("apply --dry-run -o json", PlanView),
    "apply": Output("apply -o json", answers.Applied),
    "status": Output("status -o json", answers.Status),
    "sessions": Output("sessions -o json", list[answers.Session]),
    "events": Output("events -o ndjson, in each line", answers.Event),
    "findings": Output("validate -o json", list[FindingView]),
    "history": Output("history -o json", list[answers.GenerationRow]),
    "diff": Output("diff -o json", answers.Comparison),
    "why": Output("why -o json", answers.Account),
}


def schema(name: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of one of :data:`OUTPUTS`. Later versions may print further keys."""
    schemas = Schemas("#/$defs/%s")
    command, shape = OUTPUTS[name]
    found = schemas.of(shape)
    return {
        "$schema": DIALECT,
        "title": f"reconciler {command}",
        **found,
        "$defs": dict(sorted(schemas.named.items())),
    }


def as_json(name: str) -> str:
    """The text of ``schemas/NAME.schema.json``."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"
