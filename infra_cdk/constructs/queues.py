"""Queues, each with a place for what could not be handled."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.nag import acknowledge
from infra_cdk.stage import StageConfig

MAX_RECEIVES = 5
_KEEP_DEAD_LETTERS = Duration.days(14)


class DeadLetters(Construct):
    """A queue of what failed, kept for as long as SQS can; its depth raises an alarm."""

    def __init__(self, scope: Construct, construct_id: str, stage: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            retention_period=_KEEP_DEAD_LETTERS,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY,
        )
        acknowledge(
            self.queue,
            "It is the dead-letter queue of schedules, rules and asynchronous invocations",
            "SQS3",
        )


class WorkQueue(Construct):
    """A standard queue, fair by MessageGroupId, with its dead-letter queue.

    `handler_timeout` is that of the function that reads it: SQS asks for six times as much, so
    that no message becomes visible again while it is being handled.
    """

    def __init__(
        self, scope: Construct, construct_id: str, stage: StageConfig, handler_timeout: Duration
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = DeadLetters(self, "DeadLetters", stage)
        self.queue = sqs.Queue(
            self,
            "Queue",
            visibility_timeout=Duration.seconds(6 * int(handler_timeout.to_seconds())),
            retention_period=Duration.days(4),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters.queue, max_receive_count=MAX_RECEIVES
            ),
        )
