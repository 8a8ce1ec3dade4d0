"""Alarms on what a person has to look at."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra_cdk.constructs.watched import PERIOD, Watched, failures_of, sum_of
from infra_cdk.stage import StageConfig

_OLDEST_MESSAGE_SECONDS = 300
_LAG_SECONDS = 300
_ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_NO_DATA_IS_FINE = cloudwatch.TreatMissingData.NOT_BREACHING


class Alarms(Construct):
    """Silent while idle; each tells one thing that the engine cannot mend by itself."""

    def __init__(
        self, scope: Construct, construct_id: str, stage: StageConfig, watched: Watched
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self._topic = self._add_topic(stage) if stage.monitoring.alarm_email else None
        self._watch_queues(watched)
        for name, machine in watched.machines.items():
            self._add(f"{name}WalksFailed", failures_of(machine), "Walks failed as a whole")
        for name, group in watched.functions.items():
            self._add(f"{name}Errors", sum_of(group, "errors"), "Functions raised errors")
            self._add(f"{name}Throttles", sum_of(group, "throttles"), "Functions were throttled")
        self._add(
            "ApiFailures",
            watched.api.metric_server_error(period=PERIOD, statistic="Sum"),
            "The API answered with 5xx",
        )
        self._add(
            "StuckExecutions",
            self._stuck(watched.sweeper_logs),
            "Executions stopped and could not be brought to an end",
        )
        for chain_id in watched.chains:
            self._add(
                f"Chain{chain_id}Lag",
                self._lag(chain_id),
                "The operator is more than five minutes behind the chain: tasks fire late",
                threshold=_LAG_SECONDS,
            )

    def _lag(self, chain_id: int) -> cloudwatch.IMetric:
        """As the operator writes it after each of its turns, in seconds."""
        return cloudwatch.Metric(
            namespace="TaskEngine",
            metric_name="OperatorLag",
            dimensions_map={"chain": str(chain_id), "stage": self._stage.name},
            period=PERIOD,
            statistic="Maximum",
        )

    def _watch_queues(self, watched: Watched) -> None:
        for name, letters in watched.dead_letters.items():
            self._add(
                f"{name}DeadLetters",
                letters.queue.metric_approximate_number_of_messages_visible(
                    period=PERIOD, statistic="Maximum"
                ),
                "Messages that nobody could handle: look at them, then redrive them",
            )
        for name, work in watched.queues.items():
            self._add(
                f"{name}Late",
                work.queue.metric_approximate_age_of_oldest_message(
                    period=PERIOD, statistic="Maximum"
                ),
                "Messages wait for longer than five minutes",
                threshold=_OLDEST_MESSAGE_SECONDS,
            )

    def _stuck(self, log_group: logs.ILogGroup) -> cloudwatch.IMetric:
        """How many executions the sweeper had to give up, from its log."""
        namespace = f"TaskEngine/{self._stage.name}"
        logs.MetricFilter(
            self,
            "Stuck",
            log_group=log_group,
            filter_pattern=logs.FilterPattern.all(
                logs.FilterPattern.string_value("$.message", "=", "swept"),
                logs.FilterPattern.number_value("$.count", ">", 0),
            ),
            metric_namespace=namespace,
            metric_name="StuckExecutions",
            metric_value="$.count",
        )
        return cloudwatch.Metric(
            namespace=namespace, metric_name="StuckExecutions", period=PERIOD, statistic="Sum"
        )

    def _add(
        self, name: str, metric: cloudwatch.IMetric, description: str, threshold: int = 0
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._stage.prefix}-{name}",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            comparison_operator=_ABOVE,
            evaluation_periods=1,
            treat_missing_data=_NO_DATA_IS_FINE,
        )
        if self._topic is not None:
            alarm.add_alarm_action(actions.SnsAction(self._topic))

    def _add_topic(self, stage: StageConfig) -> sns.Topic:
        """CloudWatch can't publish to a topic encrypted by the account's own SNS key, so this has
        one that lets it."""
        key = kms.Key(
            self,
            "TopicKey",
            description=f"{stage.prefix}: alarms",
            enable_key_rotation=True,
            pending_window=Duration.days(7),
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
            )
        )
        topic = sns.Topic(
            self, "Topic", display_name=f"{stage.prefix} alarms", master_key=key, enforce_ssl=True
        )
        topic.add_subscription(subscriptions.EmailSubscription(stage.monitoring.alarm_email))
        return topic
