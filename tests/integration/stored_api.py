"""The API's applications and the background's services in one process, on the emulator's tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from task_engine.aws.plan_repository import PlanRepository
from task_engine.aws.task_repository import TaskRepository
from task_engine.aws.wait_repository import WaitClients, WaitRepository
from task_engine.evm.address import Address
from task_engine.ids import new_id
from task_engine.model.execution import Execution, ExecutionStatus
from task_engine.model.plan import Plan
from task_engine.model.wait import Wait
from task_engine.run.finish import FinishExecution
from task_engine.run.ports import Run
from task_engine.services.gate import Gate
from task_engine.services.signals import SignalService
from task_engine.services.sweep import Sweeper, SweepPorts

from tests.fakes.machines import FakeWalker
from tests.integration.world import World as Stored
from tests.integration.world import an_owner
from tests.unit.api.world import Answer, World

NODE = "approval"


class _Tasks(TaskRepository):
    """Tasks that know their plans, as the fakes do."""

    plans: PlanRepository

    def of(self, owner: str, task_id: str, version: int) -> Plan:
        return self.plans.of(owner, task_id, version)


@dataclass
class _Told:
    """Stands for Step Functions, the Scheduler and the bus; remembers what they were told."""

    delivered: list[str]
    announced: list[str]

    def call(self, _operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.delivered.append(str(payload["taskToken"]))
        return {}

    def arm_wait(self, wait: Wait) -> None:
        """Time-outs are the sweeper's here."""

    def execution_finished(self, execution: Execution) -> None:
        self.announced.append(execution.id)


class StoredApi(World):
    """One owner at the API; what Step Functions would do is done by calls of this."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.owner = Address(an_owner())
        super().__init__()

    def __post_init__(self) -> None:
        super().__post_init__()
        stored, self.told = self.stored, _Told([], [])
        stored.clock = self.clock
        tasks = _Tasks(stored.dynamo, stored.packer, stored.settings)
        tasks.plans = stored.plans()
        clients = WaitClients(cast("Any", self.told), cast("Any", self.told))
        self.tasks = tasks  # type: ignore[assignment]
        self.records = stored.executions()  # type: ignore[assignment]
        self.steps = stored.steps()  # type: ignore[assignment]
        self.waits = WaitRepository(stored.dynamo, stored.packer, clients, stored.settings)  # type: ignore[assignment]
        self.wallets._tasks = tasks
        self._apps = self._build()
        self.finish = FinishExecution(
            stored.steps(), stored.plans(), stored.executions(), self.told, self.clock
        )

    def sweep(self) -> None:
        """One pass, in a new process: what is kept in memory of a deleted task is not meant."""
        self._sweeper().sweep()

    def _sweeper(self) -> Sweeper:
        stored = self.stored
        signals = SignalService(self.waits, stored.executions(), self.clock)
        return Sweeper(
            SweepPorts(
                stored.tasks(),
                stored.executions(),
                Gate(stored.tasks(), stored.plans(), self.finish, self.schedules),
                self.schedules,
                FakeWalker(),
                self.finish,
                signals,
                self.clock,
            )
        )

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> Answer:
        """As this world's own owner."""
        return self.call(method, path, body, owner=self.owner, **more)

    def end(self, task: str, execution: str, *, well: bool) -> None:
        """The walk reaches its end, or fails as a whole."""
        run = self._run(task, execution)
        if well:
            self.finish.finish(run)
        else:
            self.finish.give_up(run, "the walk failed")

    def open_wait(self, task: str, execution: str, timeout_at: int) -> None:
        """The walk comes to an await node."""
        token = new_id(self.clock.ms)
        wait = Wait(execution, task, self.owner, NODE, 1, (), timeout_at, token)
        self.waits.open(wait, self.clock.ms)

    def status(self, task: str, execution: str) -> ExecutionStatus:
        """As stored."""
        found = self.records.get(task, execution)
        assert found is not None
        return found.status

    def _run(self, task: str, execution: str) -> Run:
        return Run(execution, task, self.owner, 1, "walk")
