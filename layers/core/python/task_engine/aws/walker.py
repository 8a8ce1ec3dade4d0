"""Walks on the two state machines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from task_engine.aws.failures import AwsError, TimedOut
from task_engine.aws.wire import AwsClient
from task_engine.compiler.walk_input import walk_input
from task_engine.config import Settings
from task_engine.errors import Corrupted
from task_engine.model.execution import Execution, walk_name
from task_engine.model.plan import Plan, RunClass

_POLL_SECONDS = 0.25
# An Express walk is dead after five minutes; then it is revived at most this often, at this pace.
_EXPRESS_MS = 330_000
_REVIVALS = 3
# Of its length, for one.
_UNFIT = frozenset({"InvalidExecutionInput", "ValidationException"})


class StepFunctionsWalker:
    """Implements Walker. Walks are named after their execution: on Standard, starting one again
    is refused by Step Functions; on Express, the claims of its steps make it harmless."""

    def __init__(self, client: AwsClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def start(self, execution: Execution, plan: Plan) -> None:
        """Raises Unavailable, or Corrupted for a plan that will never do."""
        self._start(execution, plan, walk_name(execution))

    def run(
        self, execution: Execution, plan: Plan, timeout_seconds: float, settled: Callable[[], bool]
    ) -> bool:
        """Whether it ended in time; how it ended stands in the execution. Raises Unavailable when
        it could not be started."""
        if plan.run_class is RunClass.STANDARD:
            self._start(execution, plan, execution.id)
            return _wait(timeout_seconds, settled)
        try:
            self._client.call(
                "StartSyncExecution",
                self._parameters(execution, plan, execution.id),
                prefix="sync-",
                timeout=timeout_seconds,
            )
        except AwsError as error:
            if error.name in _UNFIT:
                raise Corrupted("its plan can't be walked") from error
            raise
        except TimedOut:
            # No answer in time is not a failure: the walk goes on, and is recorded by itself.
            return False
        return True

    def revive(self, execution: Execution, plan: Plan, now_ms: int) -> bool:
        """See Walker: attempts of an Express walk are told by its age, of a Standard by name."""
        if plan.run_class is RunClass.EXPRESS:
            attempt = (now_ms - execution.begun_at) // _EXPRESS_MS
            if attempt > _REVIVALS:
                return False
            self._start(execution, plan, walk_name(execution, max(1, attempt)))
            return True
        for attempt in range(_REVIVALS + 1):
            name = walk_name(execution, attempt)
            status = self._status(name)
            if status in ("RUNNING", "PENDING_REDRIVE"):
                return True
            if status == "ABORTED":
                # Somebody stopped it by hand: it shall not go on.
                return False
            if status == "":
                self._start(execution, plan, name)
                return True
        return False

    def _start(self, execution: Execution, plan: Plan, name: str) -> None:
        try:
            self._client.call("StartExecution", self._parameters(execution, plan, name))
        except AwsError as error:
            if error.name in _UNFIT:
                raise Corrupted("its plan can't be walked") from error
            if error.name != "ExecutionAlreadyExists":
                raise

    def _status(self, name: str) -> str:
        """ "" when there is no such walk."""
        machine = self._settings.name("WALK_STANDARD_ARN")
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            return str(self._client.call("DescribeExecution", {"executionArn": arn})["status"])
        except AwsError as error:
            if error.name != "ExecutionDoesNotExist":
                raise
            return ""

    def _parameters(self, execution: Execution, plan: Plan, name: str) -> dict[str, str]:
        express = plan.run_class is RunClass.EXPRESS
        walk = {
            "executionId": execution.id,
            "taskId": execution.task_id,
            "owner": execution.owner,
            "version": execution.plan_version,
            **walk_input(plan),
        }
        return {
            "stateMachineArn": self._settings.name(
                "WALK_EXPRESS_ARN" if express else "WALK_STANDARD_ARN"
            ),
            "name": name,
            "input": json.dumps(walk, separators=(",", ":")),
        }


def _wait(timeout_seconds: float, settled: Callable[[], bool]) -> bool:
    end = time.monotonic() + timeout_seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(_POLL_SECONDS, left))
        if settled():
            return True
    return False
