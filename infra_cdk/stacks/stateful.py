"""What keeps data: tables, blobs, keys, queues, the event bus and the schedules' group."""

from __future__ import annotations

from aws_cdk import CfnOutput, Duration, IStackSynthesizer, Stack
from aws_cdk import aws_events as events
from constructs import Construct

from infra_cdk.catalogue import WORKER_SECONDS
from infra_cdk.constructs.blobs import Blobs
from infra_cdk.constructs.keys import Keys
from infra_cdk.constructs.queues import DeadLetters, WorkQueue
from infra_cdk.constructs.schedules import ScheduleGroup
from infra_cdk.constructs.tables import TABLES, Tables
from infra_cdk.stage import StageConfig


class StatefulStack(Stack):
    """Survives every deployment of the code."""

    def __init__(
        self, scope: Construct, stage: StageConfig, synthesizer: IStackSynthesizer | None
    ) -> None:
        super().__init__(
            scope,
            "Stateful",
            stack_name=f"{stage.prefix}-stateful",
            description="Task Engine: data",
            synthesizer=synthesizer,
            termination_protection=stage.keep_data,
        )
        worker = Duration.seconds(WORKER_SECONDS)
        self.tables = Tables(self, "Tables", stage)
        self.blobs = Blobs(self, "Blobs", stage)
        self.keys = Keys(self, "Keys", stage)
        self.executions = WorkQueue(self, "ExecutionQueue", stage, worker)
        self.notices = WorkQueue(self, "NoticeQueue", stage, worker)
        self.missed_schedules = DeadLetters(self, "MissedSchedules", stage)
        self.failed_events = DeadLetters(self, "FailedEvents", stage)
        self.schedules = ScheduleGroup(self, "Schedules", stage)
        self.bus = events.EventBus(self, "Bus", event_bus_name=stage.prefix)
        self._add_outputs()

    def dead_letters(self) -> dict[str, DeadLetters]:
        """Every dead-letter queue by what it holds."""
        return {
            "Executions": self.executions.dead_letters,
            "Notices": self.notices.dead_letters,
            "MissedSchedules": self.missed_schedules,
            "FailedEvents": self.failed_events,
        }

    def _add_outputs(self) -> None:
        outputs = {
            f"Table{spec.construct_id}": self.tables.by_name[spec.name].table_name
            for spec in TABLES
        }
        outputs["BlobBucket"] = self.blobs.bucket.bucket_name
        outputs["SecretsKeyId"] = self.keys.secrets.key_id
        outputs["TokenKeyId"] = self.keys.tokens.key_id
        for name, key in self.keys.earlier.items():
            outputs[f"{name}KeyId"] = key.key_id
        for name, key in self.keys.signing.items():
            outputs[f"{name.capitalize()}KeyId"] = key.key_id
        outputs["ExecutionQueueUrl"] = self.executions.queue.queue_url
        outputs["NoticeQueueUrl"] = self.notices.queue.queue_url
        for name, letters in self.dead_letters().items():
            outputs[f"DeadLetters{name}Url"] = letters.queue.queue_url
        outputs["ScheduleGroup"] = self.schedules.name
        outputs["EventBus"] = self.bus.event_bus_name
        for name, value in outputs.items():
            CfnOutput(self, f"Out{name}", value=value).override_logical_id(name)
