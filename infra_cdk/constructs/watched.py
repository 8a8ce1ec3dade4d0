"""What alarms and the dashboard look at, and the figures they take of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn

from infra_cdk.constructs.queues import DeadLetters, WorkQueue

PERIOD = Duration.minutes(5)


@dataclass(frozen=True, slots=True)
class Watched:
    """Parts of a deployment by the name that alarms and graphs give them."""

    functions: Mapping[str, Sequence[lambda_.IFunction]]
    machines: Mapping[str, sfn.IStateMachine]
    queues: Mapping[str, WorkQueue]
    dead_letters: Mapping[str, DeadLetters]
    api: apigateway.RestApi
    sweeper_logs: logs.ILogGroup
    chains: Sequence[int] = ()


def sum_of(
    functions: Sequence[lambda_.IFunction], figure: Literal["errors", "throttles", "invocations"]
) -> cloudwatch.MathExpression:
    """One figure of a group of functions, added up (an alarm takes up to ten metrics)."""
    metrics = {
        f"{figure}{number}": getattr(function, f"metric_{figure}")(period=PERIOD, statistic="Sum")
        for number, function in enumerate(functions)
    }
    return cloudwatch.MathExpression(
        expression="+".join(metrics),
        using_metrics=metrics,
        period=PERIOD,
        label=figure,
    )


def failures_of(machine: sfn.IStateMachine) -> cloudwatch.MathExpression:
    """Walks that failed as a whole, whatever the way."""
    return cloudwatch.MathExpression(
        expression="failed+aborted+timedOut",
        using_metrics={
            "failed": machine.metric_failed(period=PERIOD),
            "aborted": machine.metric_aborted(period=PERIOD),
            "timedOut": machine.metric_timed_out(period=PERIOD),
        },
        period=PERIOD,
        label="failed walks",
    )


# Of fewer walks a single failure would be a large part; it raises an alarm of its own.
_FEWEST_WALKS = 20


def failure_ratio(machines: Sequence[sfn.IStateMachine]) -> cloudwatch.MathExpression:
    """Per cent of walks that failed as a whole, 0 while there are few."""
    names = {"failed": "failed", "aborted": "aborted", "timedOut": "timed_out"}
    figures = {
        f"{name}{number}": getattr(machine, f"metric_{metric}")(period=PERIOD)
        for number, machine in enumerate(machines)
        for name, metric in {**names, "started": "started"}.items()
    }
    bad = "+".join(name for name in figures if not name.startswith("started"))
    started = "+".join(name for name in figures if name.startswith("started"))
    return cloudwatch.MathExpression(
        expression=f"IF({started} >= {_FEWEST_WALKS}, 100*({bad})/({started}), 0)",
        using_metrics=figures,
        period=PERIOD,
        label="% of walks failed",
    )
