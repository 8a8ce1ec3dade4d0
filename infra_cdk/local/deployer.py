"""Deploy the CDK app's stacks to the local endpoint through CloudFormation, without the CDK CLI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra_cdk.local.assembly import FileAsset, Stack, read_assembly
from infra_cdk.local.aws import LocalAws
from infra_cdk.local.waiting import StageError, wait_until

Progress = Callable[[str], None]
_DEPLOY_SECONDS = 120.0
_TEMPLATE_BUCKET = "task-engine-local-templates"
_TTL_ATTRIBUTE = "expiresAt"


def deploy(
    aws: LocalAws, directory: Path, progress: Progress, texts: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Create or update every stack of the assembly; returns the outputs by stack name.

    `texts` are replaced in the templates: what is known only now. What did not change is not
    uploaded and not updated again. Raises StageError with CloudFormation's reasons when a stack
    fails.
    """
    assembly = read_assembly(directory)
    progress(f"uploading {len(assembly.assets)} assets")
    upload(aws, assembly.assets)
    outputs: dict[str, dict[str, str]] = {}
    for stack in assembly.stacks:
        progress(f"deploying {stack.name}")
        outputs[stack.name] = apply(aws, replace(stack, template=_filled(stack.template, texts)))
    settle_tables(aws)
    return outputs


def _filled(template: str, texts: Mapping[str, str]) -> str:
    for stand_in, text in texts.items():
        template = template.replace(stand_in, text)
    return template


def upload(aws: LocalAws, assets: tuple[FileAsset, ...]) -> None:
    """Put every asset that is not there yet; keys are content hashes, so a present one is right."""
    s3 = aws.client("s3")
    for bucket in {asset.bucket for asset in assets}:
        if not _exists(lambda bucket=bucket: s3.head_bucket(Bucket=bucket)):  # type: ignore[misc]
            s3.create_bucket(Bucket=bucket)
    for asset in assets:
        if not _exists(
            lambda asset=asset: s3.head_object(Bucket=asset.bucket, Key=asset.key)  # type: ignore[misc]
        ):
            s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=asset.content())


def apply(aws: LocalAws, stack: Stack) -> dict[str, str]:
    """Create or update one stack, wait until it settled, return its outputs."""
    cloudformation = aws.client("cloudformation")
    request = {
        "StackName": stack.name,
        "TemplateURL": _template_url(aws, stack),
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in stack.parameters.items()
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
    }
    if _describe(aws, stack.name) is None:
        cloudformation.create_stack(**request)
    else:
        try:
            cloudformation.update_stack(**request)
        except ClientError as error:
            if "No updates" not in str(error):
                raise StageError(f"{stack.name}: {error}") from error
    settled = wait_until(
        lambda: _settled(aws, stack.name), f"stack {stack.name}", timeout_seconds=_DEPLOY_SECONDS
    )
    if settled["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise StageError(_failure(aws, settled))
    return {item["OutputKey"]: item["OutputValue"] for item in settled.get("Outputs", [])}


def _template_url(aws: LocalAws, stack: Stack) -> str:
    """Templates above 51,200 bytes are only accepted from S3, so all of them go there."""
    s3, key = aws.client("s3"), f"{stack.name}.json"
    s3.create_bucket(Bucket=_TEMPLATE_BUCKET)
    s3.put_object(Bucket=_TEMPLATE_BUCKET, Key=key, Body=stack.template.encode())
    return f"{aws.endpoint}/{_TEMPLATE_BUCKET}/{key}"


def settle_tables(aws: LocalAws) -> None:
    """What the emulator leaves out of templates: expiry of guards, point-in-time recovery."""
    dynamodb = aws.client("dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        dynamodb.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        described = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if "guards" in table.lower() and described["TimeToLiveStatus"] == "DISABLED":
            dynamodb.update_time_to_live(
                TableName=table,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": _TTL_ATTRIBUTE},
            )


def _exists(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _describe(aws: LocalAws, name: str) -> dict[str, Any] | None:
    try:
        stacks = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return dict(stacks[0]) if stacks else None


def _settled(aws: LocalAws, name: str) -> dict[str, Any] | None:
    stack = _describe(aws, name)
    return None if stack is None or stack["StackStatus"].endswith("_IN_PROGRESS") else stack


def _failure(aws: LocalAws, stack: dict[str, Any]) -> str:
    events = aws.client("cloudformation").describe_stack_events(StackName=stack["StackName"])
    reasons = [
        f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in events["StackEvents"]
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    return "\n".join([f"{stack['StackName']} ended as {stack['StackStatus']}", *reasons])
