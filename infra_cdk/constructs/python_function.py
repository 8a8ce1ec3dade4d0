"""The one place that builds a Lambda function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.access import Access
from infra_cdk.bundling import Bundles
from infra_cdk.constructs.log_group import log_group
from infra_cdk.function_spec import FunctionSpec
from infra_cdk.nag import acknowledge
from infra_cdk.stage import StageConfig


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all functions of a deployment are built with."""

    stage: StageConfig
    bundles: Bundles
    layers: Sequence[lambda_.ILayerVersion]
    access: Access
    failed_events: sqs.IQueue


class PythonFunction(Construct):
    """A function with a role, a log group and an environment of its own, as its catalogue row says.

    Named, so that schedules and alarms keep pointing at it when it is replaced.
    """

    def __init__(self, scope: Construct, spec: FunctionSpec, workshop: Workshop) -> None:
        super().__init__(scope, spec.construct_id)
        stage = workshop.stage
        name = f"{stage.prefix}-{spec.name.replace('_', '-')}"
        self.spec = spec
        self.log_group = log_group(self, f"/aws/lambda/{name}", stage)
        self.role = self._role(workshop.access)
        bundle = workshop.bundles.function(spec.name)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=spec.purpose,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=_architecture(stage),
            handler=f"functions.{spec.name}.handler.lambda_handler",
            code=lambda_.Code.from_asset(str(bundle.path), asset_hash=bundle.digest),
            layers=list(workshop.layers),
            memory_size=spec.memory_mb,
            timeout=Duration.seconds(spec.timeout_seconds),
            environment=workshop.access.environment(spec),
            role=self.role,
            log_group=self.log_group,
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=workshop.failed_events if spec.asynchronous else None,
        )
        acknowledge(
            self.function,
            "The packages are locked and measured for Python 3.13, which Lambda maintains",
            "L1",
        )

    def _role(self, access: Access) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {self.spec.name} may do",
        )
        self.log_group.grant_write(role)
        for statement in access.statements(self.spec):
            role.add_to_policy(statement)
        acknowledge(
            role,
            "X-Ray knows no resources: its two actions are granted on all or not at all",
            "IAM5[Resource::*]",
        )
        for finding in access.findings(self.spec):
            acknowledge(role, finding.reason, finding.rule)
        return role


def _architecture(stage: StageConfig) -> lambda_.Architecture:
    if stage.architecture == "arm64":
        return lambda_.Architecture.ARM_64
    return lambda_.Architecture.X86_64
