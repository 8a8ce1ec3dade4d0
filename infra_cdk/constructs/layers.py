"""The layers that functions share on AWS."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra_cdk.bundling import Bundle, Bundles
from infra_cdk.stage import Packaging, StageConfig


def layers(
    scope: Construct, stage: StageConfig, bundles: Bundles
) -> tuple[lambda_.LayerVersion, ...]:
    """The core and the third-party packages; none where the stage folds them into the zips."""
    if stage.packaging is not Packaging.LAYERS:
        return ()
    return (
        _layer(scope, "CoreLayer", "Task Engine: its own code", stage, bundles.core_layer()),
        _layer(scope, "BaseLayer", "Task Engine: packages", stage, bundles.base_layer()),
    )


def _layer(
    scope: Construct, construct_id: str, description: str, stage: StageConfig, bundle: Bundle
) -> lambda_.LayerVersion:
    architecture = (
        lambda_.Architecture.ARM_64
        if stage.architecture == "arm64"
        else lambda_.Architecture.X86_64
    )
    return lambda_.LayerVersion(
        scope,
        construct_id,
        description=description,
        code=lambda_.Code.from_asset(str(bundle.path), asset_hash=bundle.digest),
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
        compatible_architectures=[architecture],
    )
