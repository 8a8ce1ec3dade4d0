"""How functions are built: all by the same construct."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra_cdk.bundling import ROOT
from infra_cdk.catalogue import FUNCTIONS
from infra_cdk.stage import STAGE_NAMES
from tests.infra.conftest import StageTemplates
from tests.infra.templates import Templates

_STAGE_LIMITS = {
    "MIN_CRON_GAP_SECONDS",
    "RATE_LIMIT_PER_SECOND",
    "RATE_LIMIT_BURST",
    "MAX_WALLETS_PER_CHAIN",
}
_NODE_NAMES = {
    "BLOB_BUCKET",
    "SECRETS_KEY",
    "TABLE_EXECUTIONS",
    "TABLE_SECRETS",
    "TABLE_STEPS",
    "TABLE_TASKS",
}
_WRITE_NAMES = {"TABLE_GUARDS", "TABLE_OPERATIONS", "TABLE_WALLETS"}
_FINISH_NAMES = {
    "BLOB_BUCKET",
    "EVENT_BUS",
    "TABLE_EXECUTIONS",
    "TABLE_OPERATORS",
    "TABLE_STEPS",
    "TABLE_TASKS",
}
NAMES = {
    "api_auth": {"TABLE_GUARDS", "TOKEN_KEY"},
    "api_workflows": {
        "BLOB_BUCKET",
        "EXECUTION_QUEUE_URL",
        "SCHEDULE_DLQ_ARN",
        "SCHEDULE_GROUP",
        "SCHEDULE_ROLE_ARN",
        "TABLE_EXECUTIONS",
        "TABLE_GUARDS",
        "TABLE_OPERATORS",
        "TABLE_SECRETS",
        "TABLE_STEPS",
        "TABLE_TASKS",
        "TABLE_TASK_STATE",
        "TABLE_WALLETS",
        "TOKEN_KEY",
        "TRIGGER_FUNCTION_ARN",
        "WALK_EXPRESS_ARN",
        "WALK_STANDARD_ARN",
    },
    "api_executions": {
        "BLOB_BUCKET",
        "EXECUTION_QUEUE_URL",
        "TABLE_EXECUTIONS",
        "TABLE_GUARDS",
        "TABLE_OPERATORS",
        "TABLE_STEPS",
        "TABLE_TASKS",
        "TOKEN_KEY",
        "WALK_EXPRESS_ARN",
        "WALK_STANDARD_ARN",
    },
    "api_secrets": {"BLOB_BUCKET", "SECRETS_KEY", "TABLE_SECRETS", "TABLE_TASKS", "TOKEN_KEY"},
    "api_wallets": {"BLOB_BUCKET", "TABLE_TASKS", "TOKEN_KEY"} | _WRITE_NAMES,
    "api_operators": {"NOTICE_QUEUE_URL", "OPERATORS", "TABLE_OPERATORS", "TOKEN_KEY"},
    "api_nodes": {
        "ALLOWED_HOSTS",
        "BLOB_BUCKET",
        "SECRETS_KEY",
        "TABLE_SECRETS",
        "TOKEN_KEY",
    }
    | _WRITE_NAMES,
    "node_rest_api": _NODE_NAMES | {"ALLOWED_HOSTS"},
    "node_graphql_query": _NODE_NAMES | {"ALLOWED_HOSTS"},
    "node_custom_code": _NODE_NAMES | {"TABLE_TASK_STATE"},
    "node_branch": _NODE_NAMES,
    "node_filter": _NODE_NAMES,
    "node_contract_read": _NODE_NAMES,
    "node_balance": _NODE_NAMES | {"ALLOWED_HOSTS"},
    "node_contract_write": _NODE_NAMES | _WRITE_NAMES,
    "node_eth_transfer": _NODE_NAMES | _WRITE_NAMES,
    "node_chain_loop": _NODE_NAMES | _WRITE_NAMES | {"ALLOWED_HOSTS", "TABLE_TASK_STATE"},
    "node_loop": _NODE_NAMES | {"ALLOWED_HOSTS", "TABLE_TASK_STATE"},
    "node_await": {
        "BLOB_BUCKET",
        "SCHEDULE_DLQ_ARN",
        "SCHEDULE_GROUP",
        "SCHEDULE_ROLE_ARN",
        "TABLE_EXECUTIONS",
        "TABLE_OPERATORS",
        "TABLE_STEPS",
        "TABLE_TASKS",
        "TRIGGER_FUNCTION_ARN",
    },
    "trigger": {
        "BLOB_BUCKET",
        "EXECUTION_QUEUE_URL",
        "OPERATORS",
        "SCHEDULE_GROUP",
        "TABLE_EXECUTIONS",
        "TABLE_GUARDS",
        "TABLE_OPERATORS",
        "TABLE_STEPS",
        "TABLE_TASKS",
    },
    "start_execution": (_FINISH_NAMES - {"TABLE_STEPS"})
    | {"SCHEDULE_GROUP", "WALK_EXPRESS_ARN", "WALK_STANDARD_ARN"},
    "fail_step": {"BLOB_BUCKET", "TABLE_STEPS", "TABLE_TASKS"},
    "finish_execution": _FINISH_NAMES,
    "sweeper": _FINISH_NAMES | {"SCHEDULE_GROUP", "WALK_EXPRESS_ARN", "WALK_STANDARD_ARN"},
}


def test_a_function_is_given_the_names_that_it_needs_and_the_limits(
    templates: StageTemplates,
) -> None:
    given = {
        name: {
            key.removeprefix("TASK_ENGINE_")
            for key in function["Properties"]["Environment"]["Variables"]
        }
        for name, function in templates("local").functions().items()
    }
    assert given == {name: names | _STAGE_LIMITS | {"STAGE"} for name, names in NAMES.items()}


def test_every_folder_of_functions_is_deployed(
    templates: StageTemplates, chain_template: Templates
) -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/__init__.py")}
    assert set(chain_template.functions()) == folders == set(FUNCTIONS)
    # Without chains there is nothing to watch.
    assert set(templates("dev").functions()) == folders - {"operator"}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_function_ends_before_its_caller_gives_up(templates: StageTemplates, stage: str) -> None:
    for name, function in templates(stage).functions().items():
        timeout = function["Properties"]["Timeout"]
        # API Gateway waits 29 s; the state machine 120 s for nodes and 60 s for the others.
        longest = {"api": 29, "node": 100, "sweeper": 300}.get(name.split("_")[0], 30)
        assert timeout <= longest, name


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_functions_are_traced_and_log_into_a_group_with_an_end(
    templates: StageTemplates, stage: str
) -> None:
    built = templates(stage)
    groups = {
        built.readable({"Ref": name}): group["Properties"]
        for name, group in built.resources("AWS::Logs::LogGroup").items()
    }
    for function in built.functions().values():
        properties = function["Properties"]
        assert properties["TracingConfig"] == {"Mode": "Active"}
        group = groups[built.readable(properties["LoggingConfig"]["LogGroup"])]
        assert group["LogGroupName"] == f"/aws/lambda/{properties['FunctionName']}"
    days = {"local": 1, "localstack": 1, "dev": 14, "prod": 90}[stage]
    assert {group["RetentionInDays"] for group in groups.values()} == {days}


def test_events_that_nobody_waits_for_are_kept_when_they_fail(templates: StageTemplates) -> None:
    built = templates("dev")
    kept = {
        name
        for name, function in built.functions().items()
        if built.readable(function["Properties"].get("DeadLetterConfig", {}).get("TargetArn", ""))
        == "FailedEventsQueue.Arn"
    }
    assert kept == {"trigger", "finish_execution", "sweeper"}


@pytest.mark.parametrize(
    ("stage", "layers", "architecture"),
    [
        ("dev", 2, "arm64"),
        ("prod", 2, "arm64"),
        ("local", 0, "arm64"),
        ("localstack", 0, "x86_64"),
    ],
)
def test_code_is_packaged_as_the_stage_says(
    templates: StageTemplates, stage: str, layers: int, architecture: str
) -> None:
    functions = templates(stage).functions().values()
    zips = {function["Properties"]["Code"]["S3Key"] for function in functions}
    for function in functions:
        properties = function["Properties"]
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == [architecture]
        assert len(properties.get("Layers", [])) == layers
    assert len(zips) == (1 if layers == 0 else len(functions))


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_zip_has_the_module_of_its_handler(templates: StageTemplates, stage: str) -> None:
    built = templates(stage)
    for name, function in built.functions().items():
        key = str(function["Properties"]["Code"]["S3Key"]).removesuffix(".zip")
        folder = built.assembly / f"asset.{key}"
        assert (folder / "functions" / name / "handler.py").is_file()
        assert (folder / "task_engine").is_dir() is (stage in ("local", "localstack"))


def test_layers_come_from_folders_of_their_own(templates: StageTemplates) -> None:
    built = templates("dev")
    content: dict[str, Path] = {
        name: built.assembly
        / f"asset.{layer['Properties']['Content']['S3Key']}".removesuffix(".zip")
        for name, layer in built.resources("AWS::Lambda::LayerVersion").items()
    }
    core, base = (next(p for n, p in content.items() if n.startswith(k)) for k in ("Core", "Base"))
    assert (core / "python" / "task_engine" / "errors.py").is_file()
    assert not (base / "python" / "task_engine").exists()
    assert core != base
