"""Which operators a deployment listens to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

ANYBODY = "*"


@dataclass(frozen=True, slots=True)
class OperatorRules:
    """`listed` are addresses in lower case; `own` gives that of the deployment's own operator, ""
    without one. `quorum` operators must tell the same before anything happens. A single operator
    may send `per_minute` notices; a refused one counts as ten."""

    listed: frozenset[str] = frozenset()
    anybody: bool = False
    own: Callable[[], str] = field(default=lambda: "")
    quorum: int = 1
    per_minute: int = 20_000

    def allows(self, address: str) -> bool:
        """Whether this operator may register, and be believed."""
        lower = address.lower()
        return self.anybody or lower in self.listed or lower == self.own().lower() != ""


def operator_rules(
    setting: str, own: Callable[[], str], *, quorum: int = 1, per_minute: int = 20_000
) -> OperatorRules:
    """The rules of the setting OPERATORS: addresses with commas, `*` for anybody; the deployment's
    own operator always counts."""
    words = {word.strip().lower() for word in setting.split(",")} - {""}
    return OperatorRules(
        listed=frozenset(words - {ANYBODY}),
        anybody=ANYBODY in words,
        own=own,
        quorum=max(1, quorum),
        per_minute=per_minute,
    )
