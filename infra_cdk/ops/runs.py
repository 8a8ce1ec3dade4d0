"""Executions that need a hand."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import ClientError
from task_engine.errors import NotFound
from task_engine.model.execution import Execution, walk_name
from task_engine.model.plan import RunClass
from task_engine.run.ports import Run

from infra_cdk.ops.deployment import OpsError
from infra_cdk.ops.engine import Engine

_MOST = 500
_REVIVALS = 3


@dataclass(frozen=True, slots=True)
class OpenRun:
    """An execution without a final status; `walks` are its Standard walks as name=status, `task`
    tells whether its task is still there."""

    execution: Execution
    walks: tuple[str, ...]
    has_task: bool
    waits_until: int

    def verdict(self, now_ms: int) -> str:
        """What a person should know of it."""
        if self.waits_until > now_ms:
            return "waits for a decision"
        if any(walk.endswith("=RUNNING") for walk in self.walks):
            return "is being walked"
        return "stuck" if self.has_task else "stuck, and its task is gone"


def open_runs(engine: Engine, minutes: float) -> list[OpenRun]:
    """Executions that are open for longer than so many minutes, oldest first, 500 at most."""
    before = engine.clock.now_ms() - int(minutes * 60_000)
    found = engine.executions.open_before(before, _MOST)
    return [_looked_at(engine, execution) for execution in found]


def _looked_at(engine: Engine, execution: Execution) -> OpenRun:
    try:
        plan = engine.plans.of(execution.owner, execution.task_id, execution.plan_version)
    except NotFound:
        plan = None
    standard = plan is None or plan.run_class is RunClass.STANDARD
    waits = [wait for wait in engine.waits.of(execution.id) if wait.decision is None]
    return OpenRun(
        execution=execution,
        walks=tuple(f"{n}={s}" for n, s in walks(engine, execution).items()) if standard else (),
        has_task=plan is not None,
        waits_until=max((wait.timeout_at for wait in waits), default=0),
    )


def walks(engine: Engine, execution: Execution) -> dict[str, str]:
    """Statuses of its present Standard walks by name."""
    found: dict[str, str] = {}
    for revival in range(_REVIVALS + 1):
        name = walk_name(execution, revival)
        status = _status(engine, name)
        if not status:
            break
        found[name] = status
    return found


def end(engine: Engine, task_id: str, execution_id: str, reason: str) -> Execution:
    """Give it the status `error` and stop its walks; one that has ended stays as it is."""
    execution = required(engine, task_id, execution_id)
    if execution.status.final:
        return execution
    version = execution.plan_version
    run = Run(execution.id, execution.task_id, execution.owner, version, "by hand")
    # Before its walks are stopped: their end would be told as the reason otherwise.
    ended = engine.finish.give_up(run, f"ended by hand: {reason}")
    for name, status in walks(engine, execution).items():
        if status == "RUNNING":
            engine.deployment.client("stepfunctions").stop_execution(
                executionArn=_arn(engine, name), cause=reason[:32_000]
            )
    return ended


def required(engine: Engine, task_id: str, execution_id: str) -> Execution:
    """Raises OpsError when there is none."""
    execution = engine.executions.get(task_id.lower(), execution_id.lower())
    if execution is None:
        raise OpsError(f"task {task_id} has no execution {execution_id}")
    return execution


def _arn(engine: Engine, name: str) -> str:
    machine = engine.deployment.output("WalkStandardArn")
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def _status(engine: Engine, name: str) -> str:
    client = engine.deployment.client("stepfunctions")
    try:
        return str(client.describe_execution(executionArn=_arn(engine, name))["status"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return ""
