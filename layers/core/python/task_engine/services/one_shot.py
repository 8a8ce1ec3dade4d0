"""One node or one trigger, run by itself and at once; nothing is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from task_engine.call_budget import CallBudget
from task_engine.clock import Clock
from task_engine.compiler.references import references_of
from task_engine.config import Limits
from task_engine.evm.simulated import Erc20Override
from task_engine.ids import new_id
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.node import CHAIN_NODE_TYPES, NodeType
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Origin, Scope
from task_engine.run.memory import ScratchState
from task_engine.run.node_runner import failure, run_processor
from task_engine.services.scratch import ScratchRuns, SecretsOf
from task_engine.template.redact import Redactor

ONE_NODE_SECONDS = 24.0
# Of which so many are left for the last look.
_LEAVE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class NodeRun:
    """A node to run, with the values that it may read; `chain_id` is meant where it names none.

    `overrides` are token balances and allowances that simulated writes take for granted. What a
    real write sends is named after `run_id`: the same one twice sends once.
    """

    type: NodeType
    config: JsonObject
    chain_id: int
    id: str = "node"
    name: str = "node"
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    overrides: tuple[Erc20Override, ...] = ()
    run_id: str = ""


class OneShot:
    """Runs with the same processors as workflows, on an empty `state.*`, with the caller's own
    secrets, which are masked in what comes back."""

    def __init__(
        self,
        runs: ScratchRuns,
        secrets: SecretsOf,
        limits: Limits,
        clock: Clock,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._runs = runs
        self._pause = pause
        self._secrets = secrets
        self._limits = limits
        self._clock = clock

    def run_node(self, owner: str, run: NodeRun) -> Outcome:
        """What the node answers; what it does wrong is in the outcome."""
        if run.type is NodeType.AWAIT:
            return failure("INVALID_NODE_CONFIG", "await nodes are unsupported here: they wait")
        config = dict(run.config)
        if run.type in CHAIN_NODE_TYPES:
            config.setdefault("chainId", run.chain_id)
        node = PlanNode(run.id, run.name, run.type, config, 1)
        names = references_of(config).secrets
        scope = Scope(
            variables=_variables(run),
            secrets=self._secrets.values(owner, names) if names else {},
            limits=self._limits,
            deadline=self._clock.monotonic() + ONE_NODE_SECONDS,
            state=ScratchState(),
            simulated=True,
            origin=Origin(f"run-{run.run_id or new_id()}", "", owner),
            overrides=run.overrides,
        )
        processor = self._runs.processor(run.type)

        def look() -> Outcome:
            # Each time as if invoked anew: what was sent is looked for, whatever was asked before.
            fresh = replace(scope, calls=CallBudget(self._limits.max_chain_calls))
            return run_processor(lambda: processor.run(node, fresh))

        outcome = look()
        last = scope.deadline - _LEAVE_SECONDS
        while outcome.wait_seconds and self._clock.monotonic() < last:
            self._pause(min(1.0, outcome.wait_seconds))
            outcome = look()
        return Redactor(scope.secrets).outcome(outcome)


def _variables(run: NodeRun) -> dict[str, JsonValue]:
    variables = dict(run.variables)
    settings = variables.get("settings")
    if isinstance(settings, dict) and "runner" in settings:
        variables["aa_sender"] = settings["runner"]
    return variables
