"""The templated fields of one node, with all missing variables told at once."""

from __future__ import annotations

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.processors.base import Scope
from task_engine.template.render import MissingVariables, render, render_json_body


class Templated:
    """Renders fields one after the other; `check` raises for all that could not be."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._missing: list[str] = []
        self._tainted: set[str] = set()

    def text(self, field: str, template: str) -> str:
        """The rendered text; "" when a variable is missing."""
        try:
            rendered = render(template, self._scope, field)
        except MissingVariables as error:
            self._missing.append(error.message)
            return ""
        if rendered.tainted:
            self._tainted.add(field)
        return rendered.text

    def json_body(self, field: str, template: str) -> str:
        """As `text`, with what is put in escaped for JSON strings."""
        try:
            rendered = render_json_body(template, self._scope, field)
        except MissingVariables as error:
            self._missing.append(error.message)
            return ""
        return rendered.text

    def value(self, field: str, value: JsonValue) -> JsonValue:
        """Renders every string inside a JSON value; the rest keeps its type."""
        if isinstance(value, str):
            return self.text(field, value)
        if isinstance(value, dict):
            return {key: self.value(f"{field}.{key}", item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(f"{field}[{i}]", item) for i, item in enumerate(value)]
        return value

    def tainted(self, field: str) -> bool:
        """Whether the field's text came, in part, from a secret."""
        return field in self._tainted

    def check(self) -> None:
        """Raises NodeError naming every variable that could not be resolved."""
        if self._missing:
            raise NodeError("; ".join(self._missing))
