"""What EventBridge Scheduler needs for the tasks' own schedules."""

from __future__ import annotations

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.stage import StageConfig


class ScheduleGroup(Construct):
    """The group that holds every schedule of a task; it is data, tasks come and go at run time."""

    def __init__(self, scope: Construct, construct_id: str, stage: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self.name = stage.prefix
        self.group = scheduler.CfnScheduleGroup(self, "Group", name=self.name)

    def schedules_prefix(self) -> str:
        """ARN of the group's schedules, up to the slash before their names."""
        return Stack.of(self).format_arn(
            service="scheduler", resource="schedule", resource_name=self.name
        )


class ScheduleRole(Construct):
    """The role that schedules fire with: it may invoke the trigger, and keep what was not taken.

    Only schedules of `group` in our account can assume it:
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        group: str,
        trigger: lambda_.IFunction,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            description="Fires the trigger function from schedules",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={
                    "StringEquals": {
                        "aws:SourceAccount": Aws.ACCOUNT_ID,
                        "aws:SourceArn": Stack.of(self).format_arn(
                            service="scheduler", resource="schedule-group", resource_name=group
                        ),
                    }
                },
            ),
        )
        self.role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[trigger.function_arn])
        )
        self.role.add_to_policy(
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn])
        )
