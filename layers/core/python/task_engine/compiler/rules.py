"""What a deployment allows of a create request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from task_engine.config import Limits
from task_engine.errors import Problem

# "expression" or "body" (of a function), and the text: JavaScript's message, or None.
SyntaxCheck = Callable[[str, str], str | None]


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
