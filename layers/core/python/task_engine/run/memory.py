"""Steps, plans and state in memory: for simulations, which persist nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from task_engine.errors import NotFound
from task_engine.model.execution import Execution, Step
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import Plan
from task_engine.model.secret import SecretValue
from task_engine.run.ports import Claim, Loaded, Run, StepKey


class ScratchState:
    """A `state.*` store that starts as a copy and is forgotten with the run."""

    def __init__(self, values: Mapping[str, JsonValue] | None = None) -> None:
        self._values = dict(values or {})

    def load(self) -> dict[str, JsonValue]:
        """All keys with their values."""
        return dict(self._values)

    def save(self, changes: Mapping[str, JsonValue]) -> None:
        """Keep the changed keys for later nodes of the same run."""
        self._values.update(changes)

    def of(self, task_id: str) -> ScratchState:  # noqa: ARG002 - one run, one task
        """This store, whatever the task."""
        return self


class MemoryRun:
    """One run's plan and steps; implements StepStore and PlanStore."""

    def __init__(
        self,
        plan: Plan,
        execution: Execution,
        secrets: Mapping[str, SecretValue] | None = None,
    ) -> None:
        self._plan = plan
        self._execution = execution
        self._secrets = dict(secrets or {})
        self._steps: dict[str, Step] = {}
        self._chunks: dict[StepKey, tuple[list[JsonValue], bool]] = {}
        self._attempts: dict[StepKey, int] = {}

    def plan(self, run: Run) -> Plan:
        """The run's plan."""
        if run.task_id != self._execution.task_id:
            raise NotFound("no such plan in this run")
        return self._plan

    def claim(self, run: Run, key: StepKey, lease_ms: int, now_ms: int) -> Claim:  # noqa: ARG002
        """Never contended: there is one walker."""
        self._attempts[key] = self._attempts.get(key, 0) + 1
        return Claim(attempt=self._attempts[key], stored=self._steps.get(key.node_id))

    def release(self, run: Run, key: StepKey) -> None:
        """Nothing to give up."""

    def load(self, run: Run, reads: Iterable[StepKey], secrets: Iterable[str]) -> Loaded:  # noqa: ARG002
        """From memory."""
        steps = {k.node_id: self._steps[k.node_id] for k in reads if k.node_id in self._steps}
        named = {name: self._secrets[name] for name in secrets if name in self._secrets}
        return Loaded(self._execution, steps, named)

    def store(self, run: Run, step: Step) -> Step:  # noqa: ARG002
        """The first result stands."""
        return self._steps.setdefault(step.node_id, step)

    def steps(self, execution_id: str) -> list[Step]:  # noqa: ARG002
        """All steps, by ordinal."""
        return sorted(self._steps.values(), key=lambda step: step.ordinal)

    def store_chunk(self, run: Run, key: StepKey, items: list[JsonValue], finished: bool) -> None:  # noqa: ARG002
        """Keep a chunk's items."""
        self._chunks[key] = (items, finished)

    def chunk_items(self, run: Run, key: StepKey) -> list[JsonValue]:  # noqa: ARG002
        """Items kept so far."""
        return self._chunks.get(key, ([], False))[0]

    def chunks(self, run: Run, key: StepKey) -> dict[int, list[JsonValue]]:  # noqa: ARG002
        """Finished chunks."""
        return {
            chunk.chunk or 0: items
            for chunk, (items, finished) in self._chunks.items()
            if finished and chunk.node_id == key.node_id
        }
