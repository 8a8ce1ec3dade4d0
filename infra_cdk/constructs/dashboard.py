"""One page on how a deployment does."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra_cdk.constructs.watched import PERIOD, Watched, failures_of, sum_of
from infra_cdk.stage import StageConfig


class Dashboard(Construct):
    """From the request to the end of the walk, a row each."""

    def __init__(
        self, scope: Construct, construct_id: str, stage: StageConfig, watched: Watched
    ) -> None:
        super().__init__(scope, construct_id)
        cloudwatch.Dashboard(
            self,
            "Page",
            dashboard_name=stage.prefix,
            widgets=[_api(watched), _queues(watched), _walks(watched), _functions(watched)],
        )


def _api(watched: Watched) -> Sequence[cloudwatch.IWidget]:
    api = watched.api
    return [
        cloudwatch.GraphWidget(
            title="API: requests",
            left=[
                api.metric_count(period=PERIOD),
                api.metric_client_error(period=PERIOD),
                api.metric_server_error(period=PERIOD),
            ],
            width=12,
        ),
        cloudwatch.GraphWidget(
            title="API: latency",
            left=[api.metric_latency(period=PERIOD, statistic=p) for p in ("p50", "p95", "p99")],
            width=12,
        ),
    ]


def _queues(watched: Watched) -> Sequence[cloudwatch.IWidget]:
    return [
        cloudwatch.GraphWidget(
            title="Queues: age of the oldest message",
            left=[
                work.queue.metric_approximate_age_of_oldest_message(period=PERIOD, label=name)
                for name, work in watched.queues.items()
            ],
            width=12,
        ),
        cloudwatch.GraphWidget(
            title="Dead letters",
            left=[
                letters.queue.metric_approximate_number_of_messages_visible(
                    period=PERIOD, label=name
                )
                for name, letters in watched.dead_letters.items()
            ],
            width=12,
        ),
    ]


def _walks(watched: Watched) -> Sequence[cloudwatch.IWidget]:
    return [
        cloudwatch.GraphWidget(
            title=f"{name} walks",
            left=[machine.metric_started(period=PERIOD), machine.metric_succeeded(period=PERIOD)],
            right=[failures_of(machine)],
            width=12,
        )
        for name, machine in watched.machines.items()
    ]


def _functions(watched: Watched) -> Sequence[cloudwatch.IWidget]:
    return [
        cloudwatch.GraphWidget(
            title=f"{name}: invocations and errors",
            left=[sum_of(group, "invocations")],
            right=[sum_of(group, "errors"), sum_of(group, "throttles")],
            width=8,
        )
        for name, group in watched.functions.items()
    ]
