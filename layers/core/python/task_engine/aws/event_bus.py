"""Announcements on the event bus."""

from __future__ import annotations

import json
import logging

from task_engine.aws.wire import AwsClient
from task_engine.config import Settings
from task_engine.errors import EngineError
from task_engine.model.execution import Execution

log = logging.getLogger(__name__)


class EventBus:
    """Implements EventSink."""

    def __init__(self, client: AwsClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def execution_finished(self, execution: Execution) -> None:
        """Ids and status; who needs more asks the API. A bus that is down loses the announcement,
        never the run."""
        detail = {
            "executionId": execution.id,
            "taskId": execution.task_id,
            "owner": execution.owner,
            "status": execution.status.value,
            "index": execution.index,
            "startAt": execution.start_at,
            "endAt": execution.end_at,
        }
        entry = {
            "EventBusName": self._settings.name("EVENT_BUS"),
            "Source": "task-engine",
            "DetailType": "Execution Finished",
            "Detail": json.dumps(detail),
        }
        try:
            self._client.call("PutEvents", {"Entries": [entry]})
        except EngineError as error:
            log.warning("not announced", extra={"code": error.stable_code})
