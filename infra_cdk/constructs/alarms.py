"""Alarms on what a person has to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct
from task_engine.observability import NAMESPACE

from infra_cdk.constructs.watched import PERIOD, Watched, failure_ratio, failures_of, sum_of
from infra_cdk.stage import StageConfig

_OLDEST_MESSAGE_SECONDS = 300
_ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_WORST_PERCENT = 5
_MOST_LAG_SECONDS = 300
_FEWEST_SENDS = 20
_NO_DATA_IS_FINE = cloudwatch.TreatMissingData.NOT_BREACHING


@dataclass(frozen=True, slots=True)
class Told:
    """What an alarm says, and its page of the runbook."""

    text: str
    page: str


class Alarms(Construct):
    """Silent while idle; each tells one thing that the engine cannot mend by itself."""

    def __init__(
        self, scope: Construct, construct_id: str, stage: StageConfig, watched: Watched
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self._topic = self._add_topic(stage) if stage.monitoring.alarm_email else None
        self._watch_queues(watched)
        self._watch_walks(watched)
        self._watch_functions(watched)
        self._watch_chains(watched.chains)
        self._add(
            "ApiFailures",
            watched.api.metric_server_error(period=PERIOD, statistic="Sum"),
            Told("The API answered with 5xx", "api-failures"),
        )
        self._add(
            "KmsErrors",
            _told_by_functions("KmsErrors", stage=stage.name),
            Told("Keys could not be used: nobody signs in, no secret is read", "kms-errors"),
        )

    def _watch_walks(self, watched: Watched) -> None:
        for name, machine in watched.machines.items():
            self._add(
                f"{name}WalksFailed",
                failures_of(machine),
                Told("Walks failed as a whole", "walks-failed"),
            )
        self._add(
            "ErrorRatio",
            failure_ratio(list(watched.machines.values())),
            Told("More than one walk in twenty fails as a whole", "error-ratio"),
            threshold=_WORST_PERCENT,
        )
        self._add(
            "StuckExecutions",
            self._stuck(watched.sweeper_logs),
            Told("Executions stopped and could not be brought to an end", "stuck-executions"),
        )

    def _watch_functions(self, watched: Watched) -> None:
        for name, group in watched.functions.items():
            errors, throttles = sum_of(group, "errors"), sum_of(group, "throttles")
            self._add(f"{name}Errors", errors, Told("Functions raised errors", "function-errors"))
            self._add(f"{name}Throttles", throttles, Told("Functions were throttled", "throttles"))
        quota = self._stage.monitoring.concurrency_quota
        self._add(
            "Concurrency",
            # What calls and reservations take of the account's quota together:
            # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html
            cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name="ClaimedAccountConcurrency",
                period=PERIOD,
                statistic="Maximum",
            ),
            Told(f"Four fifths of {quota} concurrent calls are taken", "concurrency"),
            threshold=quota * 4 // 5,
        )

    def _watch_chains(self, chains: Sequence[int]) -> None:
        for chain in chains:
            where = {"stage": self._stage.name, "chain": str(chain)}
            self._add(
                f"Chain{chain}Lag",
                _told_by_functions("OperatorLag", "Maximum", **where),
                Told(f"Chain {chain} is watched with a delay", "operator-lag"),
                threshold=_MOST_LAG_SECONDS,
            )
            self._add(
                f"Chain{chain}LowFunds",
                _told_by_functions("SendsLeft", "Minimum", **where),
                Told(f"The sending account is nearly empty on chain {chain}", "low-funds"),
                threshold=_FEWEST_SENDS,
                comparison=_BELOW,
            )

    def _watch_queues(self, watched: Watched) -> None:
        for name, letters in watched.dead_letters.items():
            self._add(
                f"{name}DeadLetters",
                letters.queue.metric_approximate_number_of_messages_visible(
                    period=PERIOD, statistic="Maximum"
                ),
                Told("Messages that nobody could handle", "dead-letters"),
            )
        for name, work in watched.queues.items():
            self._add(
                f"{name}Late",
                work.queue.metric_approximate_age_of_oldest_message(
                    period=PERIOD, statistic="Maximum"
                ),
                Told("Messages wait for longer than five minutes", "late-messages"),
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
        self,
        name: str,
        metric: cloudwatch.IMetric,
        told: Told,
        threshold: int = 0,
        comparison: cloudwatch.ComparisonOperator = _ABOVE,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._stage.prefix}-{name}",
            alarm_description=f"{told.text}. What to do: docs/runbook/{told.page}.md",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
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


def _told_by_functions(name: str, statistic: str = "Sum", **dimensions: str) -> cloudwatch.IMetric:
    """A figure that functions write into their logs (task_engine.observability)."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        period=PERIOD,
        statistic=statistic,
    )
