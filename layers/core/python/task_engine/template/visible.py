"""Everything a template or a script may see, secrets included."""

from __future__ import annotations

from task_engine.model.json_value import JsonValue
from task_engine.template.pieces import SECRETS_ROOT
from task_engine.template.scope import Scope


def visible(scope: Scope) -> dict[str, JsonValue]:
    """The scope's variables and, as `apContext.configVars`, its secrets in plain text."""
    given = scope.variables.get(SECRETS_ROOT)
    context = dict(given) if isinstance(given, dict) else {}
    known = context.get("configVars")
    config = dict(known) if isinstance(known, dict) else {}
    config.update((name, secret.reveal()) for name, secret in scope.secrets.items())
    context["configVars"] = config
    return {**scope.variables, SECRETS_ROOT: context}
