"""Synthesis of one stage, offline: `python -m infra_cdk.synth --stage local --out DIR`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import (
    App,
    CliCredentialsStackSynthesizer,
    IStackSynthesizer,
    Tags,
    Validations,
)
from cdk_nag import AwsSolutionsChecks

from infra_cdk.bundling import Bundles
from infra_cdk.stacks.stateful import StatefulStack
from infra_cdk.stacks.stateless import StatelessStack
from infra_cdk.stage import STAGE_NAMES, StageConfig, stage_config


@dataclass(frozen=True, slots=True)
class Options:
    """How to synthesise.

    `bundle` adds packages and byte code (without it the templates can be checked, not deployed);
    `checks` runs cdk-nag, whose unacknowledged findings are errors.
    """

    bundle: bool = True
    checks: bool = True


def synthesise(
    stage: str,
    outdir: Path,
    options: Options | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Write the cloud assembly of `stage` to `outdir` and return that folder.

    `environ` (default: the process's) is where the user's `TASK_ENGINE_*` settings come from.
    Needs the network only for packages that are not in the cache yet, never for stage `local`.
    Raises ValueError for an unknown stage or setting, RuntimeError when a check fails.
    """
    build(new_app(outdir), stage_config(stage, environ), options or Options())
    return outdir


def new_app(outdir: Path | None = None) -> App:
    """An app with the behaviours of CDK that we rely on, whoever starts it."""
    return App(
        outdir=None if outdir is None else str(outdir),
        analytics_reporting=False,
        context={
            "@aws-cdk/aws-apigateway:disableCloudWatchRole": True,
            "@aws-cdk/core:checkSecretUsage": True,
        },
    )


def build(app: App, stage: StageConfig, options: Options) -> None:
    """Put the stacks of `stage` into `app` and synthesise it."""
    with tempfile.TemporaryDirectory() as folder:
        bundles = Bundles(stage, Path(folder), complete=options.bundle)
        data = StatefulStack(app, stage, _synthesizer(stage))
        StatelessStack(app, stage, data, bundles, _synthesizer(stage))
        Tags.of(app).add("task-engine:stage", stage.name)
        if options.checks:
            Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        app.synth()


def _synthesizer(stage: StageConfig) -> IStackSynthesizer | None:
    """The bootstrap's bucket and roles on AWS, else a plain bucket and the caller's credentials."""
    if not stage.asset_bucket:
        return None
    return CliCredentialsStackSynthesizer(file_assets_bucket_name=stage.asset_bucket)


def main(arguments: list[str] | None = None) -> int:
    """Command line; prints the folder of the cloud assembly."""
    parser = argparse.ArgumentParser(prog="python -m infra_cdk.synth", description=__doc__)
    parser.add_argument("--stage", choices=STAGE_NAMES, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--no-bundle", action="store_true", help="no packages, no byte code")
    parser.add_argument("--no-checks", action="store_true", help="without cdk-nag")
    given = parser.parse_args(arguments)
    options = Options(bundle=not given.no_bundle, checks=not given.no_checks)
    sys.stdout.write(f"{synthesise(given.stage, given.out, options)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
