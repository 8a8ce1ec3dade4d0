"""The deployment's own operator: there where chains are, started for each of them every minute."""

from __future__ import annotations

import json

from tests.infra.conftest import StageTemplates
from tests.infra.templates import Templates


def test_each_chain_with_a_node_is_watched_every_minute(chain_template: Templates) -> None:
    rules = [
        rule["Properties"]
        for name, rule in chain_template.resources("AWS::Events::Rule").items()
        if name.startswith("Watch")
    ]
    watched = []
    for rule in rules:
        assert rule["ScheduleExpression"] == "rate(1 minute)"
        [target] = rule["Targets"]
        assert chain_template.readable(target["Arn"]) == "OperatorFunction.Arn"
        # A turn that failed is made up for by the next.
        assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
        watched.append(json.loads(target["Input"]))
    assert sorted(watched, key=lambda event: event["chainId"]) == [
        {"chainId": 1},
        {"chainId": 8453},
    ]


def test_the_operator_may_watch_and_tell_and_nothing_else(chain_template: Templates) -> None:
    role = chain_template.functions()["operator"]["Properties"]["Role"]
    assert chain_template.privileges(role) == {
        "*": {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
        "OperatorLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "FailedEventsQueue.Arn": {"sqs:SendMessage"},
        "KeysOperator.Arn": {"kms:GetPublicKey", "kms:Sign"},
        "NoticeQueue.Arn": {"sqs:SendMessage"},
        "TablesGuards.Arn": {"dynamodb:DeleteItem", "dynamodb:UpdateItem"},
        "TablesOperators.Arn": {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        "TablesOperators.Arn/index/changes": {"dynamodb:Query"},
    }


def test_who_creates_tasks_knows_what_is_watched(
    templates: StageTemplates, chain_template: Templates
) -> None:
    name = "TASK_ENGINE_OPERATOR_CHAINS"
    functions = chain_template.functions()
    given = functions["api_workflows"]["Properties"]["Environment"]["Variables"]
    assert given[name] == "1,8453"
    idle = templates("dev").functions()["api_workflows"]["Properties"]["Environment"]["Variables"]
    assert name not in idle


def test_a_watch_that_lags_raises_an_alarm_for_its_chain(chain_template: Templates) -> None:
    lags = {
        alarm["Properties"]["AlarmName"]: alarm["Properties"]
        for alarm in chain_template.resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("MetricName") == "OperatorLag"
    }
    assert set(lags) == {"task-engine-dev-Chain1Lag", "task-engine-dev-Chain8453Lag"}
    for alarm in lags.values():
        assert alarm["Threshold"] == 300
        assert {d["Name"] for d in alarm["Dimensions"]} == {"chain", "stage"}


def test_without_chains_nothing_is_started(templates: StageTemplates) -> None:
    rules = templates("prod").resources("AWS::Events::Rule")
    assert not [name for name in rules if name.startswith("Watch")]
