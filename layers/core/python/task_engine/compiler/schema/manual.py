"""manual: fired by a call."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from task_engine.compiler.schema.base import Form, Language


def merged_map(value: object) -> object:
    """A map, also from a list of one-key objects; raises ValueError."""
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return {key: text for item in value for key, text in item.items()}
    if isinstance(value, dict):
        return value
    raise ValueError("must be an object of texts")


StringMap = Annotated[dict[str, str], BeforeValidator(merged_map)]


class ManualConfig(Form):
    """`data` any JSON; with lang json, a text has to be JSON (and stays a text)."""

    lang: Language | None = None
    data: Any = None
    headers: StringMap | None = None
    path_params: StringMap | None = None

    @model_validator(mode="after")
    def _json_text(self) -> ManualConfig:
        if self.lang == "json" and isinstance(self.data, str):
            try:
                json.loads(self.data)
            except (ValueError, RecursionError) as error:
                raise ValueError("data must be JSON, as lang says") from error
        return self
