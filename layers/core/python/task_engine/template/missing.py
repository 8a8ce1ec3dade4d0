"""Templates without a value: all of them at once, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.errors import NodeError

_SYSTEM_ROOTS = frozenset(
    ["settings", "trigger", "context", "apContext", "secrets", "env", "triggerConfig"]
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A template without a value: its expression, its first name, JavaScript's reason."""

    expression: str
    root: str
    reason: str = ""

    def __str__(self) -> str:
        told = self.reason.startswith("SyntaxError")
        return f"{self.expression} ({self.reason})" if told else self.expression


class MissingVariables(NodeError):
    """Templates that have no value; the message names them all and says what to run first."""

    def __init__(self, missing: tuple[Missing, ...], field: str = "", message: str = "") -> None:
        super().__init__(message or _message(missing, field))
        self.missing = missing
        self.field = field


def joined(problems: list[MissingVariables]) -> MissingVariables:
    """One error for those of several fields."""
    if len(problems) == 1:
        return problems[0]
    missing = tuple(one for problem in problems for one in problem.missing)
    return MissingVariables(missing, message="; ".join(problem.message for problem in problems))


def _message(missing: tuple[Missing, ...], field: str) -> str:
    unique = {one.expression: one for one in missing}
    text = f"could not resolve {_counted('variable', [str(one) for one in unique.values()])}"
    if field:
        text += f" in {field}"
    roots = dict.fromkeys(
        one.root for one in unique.values() if one.root and one.root not in _SYSTEM_ROOTS
    )
    return f"{text}; run {_counted('node', list(roots))} first" if roots else text


def _counted(noun: str, names: list[str]) -> str:
    return f"{noun}{'s' if len(names) > 1 else ''} {', '.join(names)}"
