"""Stages: what differs between them, and what must hold for each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra_cdk.constructs import python_function
from infra_cdk.stage import ASSET_BUCKET, STAGE_NAMES, stage_config
from infra_cdk.synth import Options, main, synthesise
from tests.infra.conftest import StageTemplates

# What the open core of LocalStack 2026.3.0 provides, as far as anything here would use it.
LOCALSTACK_TYPES = {
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::StepFunctions::StateMachine",
}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_nothing_is_left_unacknowledged(templates: StageTemplates, stage: str) -> None:
    report = json.loads((templates(stage).assembly / "validation-report.json").read_text())
    assert report["pluginReports"] == []


def test_a_finding_without_a_reason_stops_the_synthesis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given functions whose findings nobody gave a reason for
    monkeypatch.setattr(python_function, "acknowledge", lambda *_: None)
    # When the stage is synthesised, then the checks refuse it
    with pytest.raises(RuntimeError, match="AwsSolutions-IAM5"):
        synthesise("dev", tmp_path, Options(bundle=False), environ={})


def test_localstack_is_asked_only_for_what_it_has(templates: StageTemplates) -> None:
    kinds = {resource["Type"] for resource in templates("localstack").resources().values()}
    assert kinds <= LOCALSTACK_TYPES


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_no_stage_has_what_some_stage_has_not(templates: StageTemplates, stage: str) -> None:
    kinds = {resource["Type"] for resource in templates(stage).resources().values()}
    missing = ("AWS::ApiGatewayV2", "AWS::Pipes", "AWS::Cognito", "AWS::ApiGateway::Authorizer")
    assert not {kind for kind in kinds if kind.startswith(missing)}


@pytest.mark.parametrize("stage", ["local", "localstack"])
def test_emulators_need_no_bootstrap(templates: StageTemplates, stage: str) -> None:
    built = templates(stage)
    for name, template in built.by_stack.items():
        assert "Parameters" not in template
        assert "Rules" not in template
        assets = json.loads((built.assembly / f"{name}.assets.json").read_text())
        buckets = {
            destination["bucketName"]
            for asset in assets["files"].values()
            for destination in asset["destinations"].values()
        }
        assert buckets == {ASSET_BUCKET}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_outputs_tell_what_a_caller_needs(templates: StageTemplates, stage: str) -> None:
    built = templates(stage)
    stateful, stateless = built.outputs("Stateful"), built.outputs("Stateless")
    assert {"TableTasks", "TableSteps", "BlobBucket", "ExecutionQueueUrl", "NoticeQueueUrl"} <= (
        stateful.keys()
    )
    assert stateless["RestApiStage"] == "live"
    assert built.readable(stateless["RestApiId"]) == "HttpApi"
    assert built.readable(stateless["WalkExpressArn"]) == "WalkerExpressMachine"
    assert "FunctionNodeRestApi" in stateless
    assert built.readable(stateless["ApiUrl"]).endswith("/api/v1")


def test_the_same_sources_make_the_same_templates(tmp_path: Path) -> None:
    options = Options(bundle=False, checks=False)
    one, two = (synthesise("dev", tmp_path / name, options, environ={}) for name in ("1", "2"))
    for stack in ("Stateful", "Stateless"):
        name = f"{stack}.template.json"
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_the_local_stage_has_the_limits_of_a_workbench() -> None:
    assert stage_config("local", {}).limits() == {
        "MAX_WALLETS_PER_CHAIN": "2000",
        "MIN_CRON_GAP_SECONDS": "60",
        "RATE_LIMIT_BURST": "1000",
        "RATE_LIMIT_PER_SECOND": "200",
    }


def test_production_has_the_engines_own_limits() -> None:
    assert stage_config("prod", {}).limits() == {}


def test_the_users_environment_changes_settings() -> None:
    environ = {
        "TASK_ENGINE_ALLOWED_HOSTS": "10.0.0.7:8080",
        "TASK_ENGINE_ARCHITECTURE": "x86_64",
        "TASK_ENGINE_CHAINS": '{"31337": "http://127.0.0.1:8545"}',
        "TASK_ENGINE_MAP_CONCURRENCY": "7",
        "TASK_ENGINE_MAX_NODES": "50",
        "TASK_ENGINE_TABLE_TASKS": "not a setting of the user's",
    }
    config = stage_config("prod", environ)
    assert config.architecture == "x86_64"
    assert config.map_concurrency == 7
    assert config.settings == {
        "ALLOWED_HOSTS": "10.0.0.7:8080",
        "CHAINS": '{"31337": "http://127.0.0.1:8545"}',
        "MAX_NODES": "50",
    }


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"TASK_ENGINE_ARCHITECTURE": "mips"}, "arm64 or x86_64"),
        ({"TASK_ENGINE_MAP_CONCURRENCY": "0"}, "whole number above zero"),
        ({"TASK_ENGINE_MAP_CONCURRENCY": "many"}, "whole number above zero"),
    ],
)
def test_an_unusable_setting_is_refused(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stage_config("dev", environ)


def test_an_unknown_stage_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="local, dev, prod, localstack"):
        synthesise("test", tmp_path)
    with pytest.raises(SystemExit):
        main(["--stage", "test", "--out", str(tmp_path)])
