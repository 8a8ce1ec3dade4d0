"""What keeps data is encrypted, recoverable and not deleted by accident."""

from __future__ import annotations

import pytest

from infra_cdk.stage import STAGE_NAMES
from tests.infra.conftest import StageTemplates

KEYS = {
    "Tasks": ("owner", "sk"),
    "Executions": ("taskId", "id"),
    "Steps": ("executionId", "sk"),
    "Secrets": ("owner", "sk"),
    "Wallets": ("owner", "sk"),
    "TaskState": ("taskId", "key"),
    "Guards": ("name",),
    "Operations": ("name",),
    "Operators": ("group", "sk"),
}
INDEXES = {
    "Operators": {"changes": (("group", "S"), ("version", "N"))},
    "Tasks": {"due": (("dueShard", "S"), ("expiredAt", "N"))},
    "Executions": {"open": (("openShard", "S"), ("startAt", "N"))},
}


def _table_name(logical_id: str) -> str:
    return logical_id.removeprefix("Tables")[:-8]


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_tables_have_the_documented_keys_and_indexes(templates: StageTemplates, stage: str) -> None:
    tables = templates(stage).resources("AWS::DynamoDB::Table")
    keys: dict[str, tuple[str, ...]] = {}
    indexes: dict[str, dict[str, object]] = {}
    for logical_id, table in tables.items():
        properties, name = table["Properties"], _table_name(logical_id)
        kinds = {a["AttributeName"]: a["AttributeType"] for a in properties["AttributeDefinitions"]}
        keys[name] = tuple(part["AttributeName"] for part in properties["KeySchema"])
        for index in properties.get("GlobalSecondaryIndexes", []):
            parts = [part["AttributeName"] for part in index["KeySchema"]]
            indexes.setdefault(name, {})[index["IndexName"]] = tuple((p, kinds[p]) for p in parts)
    assert keys == KEYS
    assert indexes == INDEXES


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_tables_are_encrypted_recoverable_and_on_demand(
    templates: StageTemplates, stage: str
) -> None:
    for table in templates(stage).resources("AWS::DynamoDB::Table").values():
        properties = table["Properties"]
        assert properties["SSESpecification"] == {"SSEEnabled": True}
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_only_guards_expire(templates: StageTemplates) -> None:
    expiring = {
        _table_name(logical_id): table["Properties"]["TimeToLiveSpecification"]
        for logical_id, table in templates("dev").resources("AWS::DynamoDB::Table").items()
        if "TimeToLiveSpecification" in table["Properties"]
    }
    by_time = {"AttributeName": "expiresAt", "Enabled": True}
    assert expiring == {"Guards": by_time, "Operators": by_time}


@pytest.mark.parametrize(("stage", "kept"), [("prod", True), ("dev", False), ("local", False)])
def test_production_keeps_its_data(templates: StageTemplates, stage: str, kept: bool) -> None:
    built = templates(stage)
    data = {
        logical_id: resource
        for kind in ("DynamoDB::Table", "S3::Bucket", "KMS::Key", "SQS::Queue")
        for logical_id, resource in built.resources(f"AWS::{kind}").items()
        if not logical_id.startswith("AlarmsTopicKey")
    }
    assert {r["DeletionPolicy"] for r in data.values()} == {"Retain" if kept else "Delete"}
    tables = built.resources("AWS::DynamoDB::Table").values()
    assert {t["Properties"]["DeletionProtectionEnabled"] for t in tables} == {kept}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_blobs_are_private_encrypted_and_over_tls_only(
    templates: StageTemplates, stage: str
) -> None:
    built = templates(stage)
    [bucket] = built.resources("AWS::S3::Bucket").values()
    properties = bucket["Properties"]
    [rule] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["LifecycleConfiguration"]["Rules"]) == 2
    [policy] = built.resources("AWS::S3::BucketPolicy").values()
    assert _denies_plain_http(policy["Properties"]["PolicyDocument"])


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_queues_are_encrypted_and_over_tls_only(templates: StageTemplates, stage: str) -> None:
    built = templates(stage)
    queues = built.resources("AWS::SQS::Queue")
    assert {q["Properties"]["SqsManagedSseEnabled"] for q in queues.values()} == {True}
    guarded = {
        built.readable(queue)
        for policy in built.resources("AWS::SQS::QueuePolicy").values()
        if _denies_plain_http(policy["Properties"]["PolicyDocument"])
        for queue in policy["Properties"]["Queues"]
    }
    assert guarded == {built.readable({"Ref": name}) for name in queues}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_work_queue_has_dead_letters(templates: StageTemplates, stage: str) -> None:
    # Given the queues that functions read
    built = templates(stage)
    queues = {built.readable({"Ref": n}): q for n, q in built.resources("AWS::SQS::Queue").items()}
    read = {
        built.readable(mapping["Properties"]["EventSourceArn"]).removesuffix(".Arn")
        for mapping in built.resources("AWS::Lambda::EventSourceMapping").values()
    }
    assert read == {"ExecutionQueue", "NoticeQueue"}
    # Then what fails five times is kept for two weeks
    for name in read:
        redrive = queues[name]["Properties"]["RedrivePolicy"]
        assert redrive["maxReceiveCount"] == 5
        letters = queues[built.readable(redrive["deadLetterTargetArn"]).removesuffix(".Arn")]
        assert letters["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_messages_stay_hidden_while_they_are_handled(templates: StageTemplates) -> None:
    built = templates("dev")
    queues = {built.readable({"Ref": n}): q for n, q in built.resources("AWS::SQS::Queue").items()}
    functions = built.functions()
    for queue, function in (("ExecutionQueue", "start_execution"), ("NoticeQueue", "trigger")):
        timeout = functions[function]["Properties"]["Timeout"]
        assert queues[queue]["Properties"]["VisibilityTimeout"] >= 6 * timeout


def test_batches_report_single_failures(templates: StageTemplates) -> None:
    mappings = templates("dev").resources("AWS::Lambda::EventSourceMapping").values()
    answers = [mapping["Properties"]["FunctionResponseTypes"] for mapping in mappings]
    assert answers == [["ReportBatchItemFailures"]] * 2


def test_keys_rotate_and_have_one_purpose(templates: StageTemplates) -> None:
    keys = templates("prod").resources("AWS::KMS::Key")
    by_name = {name[:-8]: key["Properties"] for name, key in keys.items()}
    assert set(by_name) == {"KeysSecrets", "KeysTokens"}
    assert by_name["KeysSecrets"]["EnableKeyRotation"] is True
    assert by_name["KeysTokens"]["KeySpec"] == "HMAC_256"
    assert by_name["KeysTokens"]["KeyUsage"] == "GENERATE_VERIFY_MAC"


def _denies_plain_http(document: dict[str, list[dict[str, object]]]) -> bool:
    return any(
        statement["Effect"] == "Deny"
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in document["Statement"]
    )
