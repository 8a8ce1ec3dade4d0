"""What one evaluation may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from task_engine.call_budget import CallBudget
from task_engine.config import Limits
from task_engine.model.json_value import JsonValue
from task_engine.model.secret import SecretValue


class StateStore(Protocol):
    """The `state.*` store of one task: durable in real runs, a scratch copy in simulations."""

    def load(self) -> dict[str, JsonValue]:
        """All keys with their values."""

    def save(self, changes: Mapping[str, JsonValue]) -> None:
        """Write the changed keys; called once, after the script has ended well."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which run a node works for; what it does outside is named after the execution."""

    execution_id: str
    task_id: str
    owner: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What one evaluation may see.

    `variables` are the run's variables by name (`{"fetch": {"data": …, "input": …}, "settings":
    {…}, …}`), without secrets; `secrets` are those that the node names, reached as
    `apContext.configVars.NAME`; `deadline` is a monotonic time in seconds; `origin` is None where
    nothing lasting may be done. Simulated writes of one `run_key` see each other, "" = none does;
    `overrides` are balances and allowances that they take for granted (Erc20Override). `calls` is
    what may still be asked of chains, by children too.
    """

    variables: Mapping[str, JsonValue]
    secrets: Mapping[str, SecretValue] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    deadline: float = float("inf")
    state: StateStore | None = None
    simulated: bool = False
    origin: Origin | None = None
    run_key: str = ""
    overrides: tuple[Any, ...] = ()
    calls: CallBudget = field(default_factory=lambda: CallBudget(Limits().max_chain_calls))

    def child(self, extra: Mapping[str, JsonValue]) -> Scope:
        """The same scope with more variables: a loop's item, a filter's element."""
        return replace(self, variables={**self.variables, **extra})
