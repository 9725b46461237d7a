"""What every table of site.yaml is: immutable, strict, and with a price beside each of its keys.

Neighbours: ``site.model``, ``site.tables`` and ``site.user`` declare the tables; ``plan`` asks what a change
costs. This module must not know any key.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from reconciler.site.impact import OnChange


class Declared(BaseModel):
    """Immutable, refuses unknown keys, and never repeats its input in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuses a key beside which nothing is declared about changing it.

        :raises TypeError: which key of which table.
        """
        super().__pydantic_init_subclass__(**kwargs)
        for key, field in cls.model_fields.items():
            if not any(isinstance(note, OnChange) for note in field.metadata):
                raise TypeError(f"{cls.__name__}.{key}: what does a change of it do to live sessions?")


def on_change(model: type[BaseModel], field: str) -> OnChange:
    """What is declared beside a field about changing it.

    :raises KeyError: no such field, or nothing is declared beside it.
    """
    for note in model.model_fields[field].metadata:
        if isinstance(note, OnChange):
            return note
    raise KeyError(field)
