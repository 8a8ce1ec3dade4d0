"""What can go wrong with JavaScript: it is wrong itself, or it went over a limit."""

from __future__ import annotations

from task_engine.errors import NodeError


class ScriptError(NodeError):
    """The JavaScript itself is wrong or threw; the message is JavaScript's own."""


def limit_exceeded(message: str) -> NodeError:
    """A script went over one of its limits: the same script would do so again."""
    return NodeError(message, code="EXECUTION_ENGINE_ERROR")
