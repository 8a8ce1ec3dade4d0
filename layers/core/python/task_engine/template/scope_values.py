"""Which of a scope's variables an expression sees."""

from __future__ import annotations

import re

from task_engine.model.json_value import JsonValue
from task_engine.processors.base import Scope

_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
SECRETS_ROOT = "apContext"


def bindings_for(text: str, scope: Scope) -> tuple[dict[str, JsonValue], bool]:
    """Values of the variables that occur in `text`, and whether secrets are among them."""
    names = set(_IDENTIFIER.findall(text))
    values = {name: scope.variables[name] for name in names if name in scope.variables}
    tainted = SECRETS_ROOT in names
    if tainted:
        values[SECRETS_ROOT] = secrets_value(scope)
    return values, tainted


def secrets_value(scope: Scope) -> JsonValue:
    """`apContext` in the clear: for one evaluation, whose results are redacted."""
    return {"configVars": {name: value.reveal() for name, value in scope.secrets.items()}}
