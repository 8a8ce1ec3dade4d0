"""manual: fired by a call."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator
from pydantic_core.core_schema import ValidationInfo

from task_engine.compiler.json_text import is_json
from task_engine.compiler.schema.base import Form, Language


def merged_map(value: object) -> object:
    """A map, also from a list of one-key objects; raises ValueError."""
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return {key: text for item in value for key, text in item.items()}
    if isinstance(value, dict):
        return value
    raise ValueError("must be an object of texts")


StringMap = Annotated[
    dict[str, str],
    BeforeValidator(merged_map, json_schema_input_type=dict[str, str] | list[dict[str, str]]),
]


class ManualConfig(Form):
    """`data` any JSON; with lang json, a text has to be JSON (and stays a text)."""

    lang: Language | None = None
    data: Any = None
    headers: StringMap | None = None
    path_params: StringMap | None = None

    @field_validator("data")
    @classmethod
    def _json_text(cls, data: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        if info.data.get("lang") == "json" and isinstance(data, str) and not is_json(data):
            raise ValueError(f"must be JSON, as lang says, not {data[:40]!r}")
        return data
