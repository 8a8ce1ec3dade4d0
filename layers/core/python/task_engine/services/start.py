"""From the execution queue to a walk."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from task_engine.errors import EngineError, InvalidRequest, NotFound
from task_engine.model.json_value import JsonValue
from task_engine.services.gate import Gate
from task_engine.services.ports import Executions, Walker

log = logging.getLogger(__name__)


class StartExecution:
    """Starts each queued execution once; what fails is delivered again, then dead-lettered."""

    def __init__(self, executions: Executions, walker: Walker, gate: Gate) -> None:
        self._executions = executions
        self._walker = walker
        self._gate = gate

    def handle(self, event: Mapping[str, object]) -> dict[str, JsonValue]:
        """An SQS batch; answers with the ids of messages to deliver again."""
        failures: list[JsonValue] = []
        records = event.get("Records")
        for record in records if isinstance(records, list) else []:
            try:
                self._start(record["body"])
            except EngineError as error:
                log.warning("not started", extra={"code": error.stable_code})
                failures.append({"itemIdentifier": str(record["messageId"])})
        return {"batchItemFailures": failures}

    def _start(self, body: str) -> None:
        try:
            message = json.loads(body)
            task_id, execution_id = str(message["taskId"]), str(message["executionId"])
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidRequest("not an execution message") from error
        execution = self._executions.get(task_id, execution_id)
        if execution is None:
            raise NotFound("no such execution")
        if execution.status.final:
            self._gate.ended(execution)
            return
        self._gate.through(execution, lambda plan: self._walker.start(execution, plan))
