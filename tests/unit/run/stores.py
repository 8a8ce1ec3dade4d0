"""Steps in memory with claims as the real store grants them, and a processor to watch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from task_engine.clock import SystemClock
from task_engine.config import Limits
from task_engine.errors import Corrupted, Unavailable
from task_engine.model.execution import Execution, ExecutionStatus, Outcome, RunContext, Step
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType, Retry
from task_engine.model.plan import Lane, Plan, PlanNode, RunClass, Stage
from task_engine.model.secret import SecretValue
from task_engine.model.trigger import Trigger, TriggerRecord, TriggerType
from task_engine.processors.base import Scope
from task_engine.run.memory import MemoryRun, ScratchState
from task_engine.run.node_runner import RunPorts
from task_engine.run.ports import Claim, Run, StepKey

RUN = Run("e1", "t1", "0xowner", 1, "walk-1")
NODE = PlanNode("n", "work", NodeType.REST_API, {"url": "x"}, 1, secrets=("TOKEN",))


class ContendedRun(MemoryRun):
    """Steps that answer a claim as they are told to, and may be out of reach or unreadable."""

    granted: Claim | None = None
    out_of_reach = 0
    released = 0
    unreadable = False

    def steps(self, execution_id: str) -> list[Step]:
        if self.unreadable:
            raise Corrupted("the stored step can't be read")
        return super().steps(execution_id)

    def claim(self, run: Run, key: StepKey, lease_ms: int, now_ms: int) -> Claim:
        if self.out_of_reach > 0:
            self.out_of_reach -= 1
            raise Unavailable("throttled")
        return self.granted or super().claim(run, key, lease_ms, now_ms)

    def release(self, run: Run, key: StepKey) -> None:
        self.released += 1


@dataclass
class Watched:
    """Answers with the outcomes it is given, in turn."""

    outcomes: list[Outcome | Exception] = field(default_factory=list)
    safe: bool = True
    seen: list[Scope] = field(default_factory=list)

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        self.seen.append(scope)
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome(data="ran")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def replay_safe(self, node: PlanNode) -> bool:
        return self.safe


def a_run(
    retry: Retry | None = None,
    data: JsonValue = None,
    secrets: dict[str, str] | None = None,
    kind: NodeType = NODE.type,
) -> ContendedRun:
    """A run of one node after a manual trigger."""
    node = replace(NODE, retry=retry, type=kind)
    trigger = Trigger("t", "start", TriggerType.MANUAL, {"data": 1})
    plan = Plan(
        trigger, {"n": node}, (Stage((Lane(("t",), ("n",)),), False),), RunClass.EXPRESS,
        {"settings": {"runner": "0xabc"}, "limit": 1},
    )  # fmt: skip
    record = TriggerRecord(TriggerType.MANUAL, data, {"h": "1"}, {"p": "2"}, {"limit": 2})
    execution = Execution(
        "e1", "t1", "0xowner", 0, ExecutionStatus.PENDING, record,
        RunContext("Enabled", 1, 2, 3), 1,
    )  # fmt: skip
    return ContendedRun(plan, execution, {k: SecretValue(v) for k, v in (secrets or {}).items()})


def ports_of(memory: MemoryRun) -> RunPorts:
    """A node runner's ports on that run."""
    return RunPorts(memory, memory, ScratchState(), SystemClock(), Limits())
