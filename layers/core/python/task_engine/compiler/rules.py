"""What a deployment allows of a create request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from task_engine.config import Limits
from task_engine.errors import Problem

Script = Literal["expression", "body"]
"""What a text is as JavaScript: an expression, or the body of a function."""
SyntaxCheck = Callable[[Script, str], str | None]
"""JavaScript's message about a text, or None when it is sound."""


@dataclass(frozen=True, slots=True)
class ValidationRules:
    """Bounds, the configured chains, the time of the request (ms), and who knows JavaScript."""

    limits: Limits
    chains: frozenset[int]
    now_ms: int
    syntax_check: SyntaxCheck | None = None

    def chain_problem(self, chain: object, path: str, code: str) -> Problem | None:
        """A chain that this deployment does not serve; what is no chain id is its form's matter."""
        if type(chain) is not int or chain <= 0 or chain in self.chains:
            return None
        known = ", ".join(str(known) for known in sorted(self.chains)) or "none"
        text = f"chain {str(chain)[:30]} is not configured here (configured: {known})"
        return Problem(code, path, text)
