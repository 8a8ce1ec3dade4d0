"""A person hears of what the engine cannot mend by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.synth import Options, synthesise
from tests.infra.conftest import StageTemplates
from tests.infra.templates import Templates


def _figures(built: Templates, alarm: dict[str, Any]) -> set[tuple[str, str]]:
    """(metric name, what it is about) of an alarm, single or computed."""
    properties = alarm["Properties"]
    metrics = [properties] if "MetricName" in properties else []
    metrics += [
        {**part["MetricStat"]["Metric"]}
        for part in properties.get("Metrics", [])
        if "MetricStat" in part
    ]
    found = set()
    for metric in metrics:
        about = [built.readable(d["Value"]) for d in metric.get("Dimensions", [])]
        found.add((metric["MetricName"], " ".join(about)))
    return found


def _watched(built: Templates) -> set[tuple[str, str]]:
    alarms = built.resources("AWS::CloudWatch::Alarm").values()
    return {figure for alarm in alarms for figure in _figures(built, alarm)}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_dead_letter_queue_raises_an_alarm(templates: StageTemplates, stage: str) -> None:
    # Given the queues that end what others could not handle
    built = templates(stage)
    letters = {
        built.readable({"Ref": name})
        for name in built.resources("AWS::SQS::Queue")
        if not name.startswith(("ExecutionQueueD5", "NoticeQueue1D"))
    }
    redriven = {
        built.readable(queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"])
        for queue in built.resources("AWS::SQS::Queue").values()
        if "RedrivePolicy" in queue["Properties"]
    }
    assert {name.removesuffix(".Arn") for name in redriven} <= letters
    # Then the depth of each is watched
    depth = "ApproximateNumberOfMessagesVisible"
    watched = {name for figure, name in _watched(built) if figure == depth}
    assert watched == {f"{name}.QueueName" for name in letters}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_function_and_machine_is_watched(templates: StageTemplates, stage: str) -> None:
    built = templates(stage)
    watched = _watched(built)
    functions = {built.readable({"Ref": name}) for name in built.resources("AWS::Lambda::Function")}
    for figure in ("Errors", "Throttles"):
        assert {name for metric, name in watched if metric == figure} == functions
    machines = {
        built.readable({"Ref": name})
        for name in built.resources("AWS::StepFunctions::StateMachine")
    }
    for figure in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"):
        assert {name for metric, name in watched if metric == figure} == machines


def test_late_messages_and_stuck_executions_are_watched(templates: StageTemplates) -> None:
    watched = _watched(templates("prod"))
    age = "ApproximateAgeOfOldestMessage"
    assert (age, "ExecutionQueue.QueueName") in watched
    assert (age, "NoticeQueue.QueueName") in watched
    assert ("StuckExecutions", "") in watched


def test_the_stuck_figure_comes_from_the_sweepers_log(templates: StageTemplates) -> None:
    built = templates("prod")
    [taken] = built.resources("AWS::Logs::MetricFilter").values()
    properties = taken["Properties"]
    assert built.readable(properties["LogGroupName"]) == "SweeperLogs"
    [transformation] = properties["MetricTransformations"]
    assert transformation["MetricName"] == "StuckExecutions"
    assert transformation["MetricNamespace"] == "TaskEngine/prod"
    assert properties["FilterPattern"] == '{ ($.message = "swept") && ($.count > 0) }'


def test_idle_deployments_are_silent(templates: StageTemplates) -> None:
    alarms = templates("prod").resources("AWS::CloudWatch::Alarm").values()
    assert {alarm["Properties"]["TreatMissingData"] for alarm in alarms} == {"notBreaching"}


def test_the_dashboard_shows_every_row(templates: StageTemplates) -> None:
    built = templates("prod")
    [page] = built.resources("AWS::CloudWatch::Dashboard").values()
    body = json.loads(built.readable(page["Properties"]["DashboardBody"]))
    titles = {widget["properties"]["title"] for widget in body["widgets"]}
    assert {"API: latency", "Dead letters", "Express walks", "Nodes: invocations and errors"} <= (
        titles
    )


def test_alarms_are_sent_where_the_user_asks(tmp_path: Path) -> None:
    # Given an address for alarms
    environ = {"TASK_ENGINE_ALARM_EMAIL": "ops@example.org"}
    # When the stage is synthesised, checked by cdk-nag
    built = Templates(synthesise("dev", tmp_path, Options(bundle=False), environ))
    # Then every alarm is published to an encrypted topic, and the topic writes to the address
    [topic] = built.resources("AWS::SNS::Topic")
    assert "KmsMasterKeyId" in built.resources("AWS::SNS::Topic")[topic]["Properties"]
    for alarm in built.resources("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]
    [subscription] = built.resources("AWS::SNS::Subscription").values()
    assert subscription["Properties"]["Endpoint"] == "ops@example.org"
