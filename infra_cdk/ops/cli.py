"""The commands of whoever owns a deployment."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from task_engine.errors import EngineError

from infra_cdk.local.waiting import StageError
from infra_cdk.ops import data_commands, look_commands, work_commands
from infra_cdk.ops.deployment import Deployment, OpsError, reach
from infra_cdk.ops.engine import Engine
from infra_cdk.ops.output import Output
from infra_cdk.stage import STAGE_NAMES

Command: TypeAlias = Callable[[Engine, argparse.Namespace, Output], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 = done, 1 = something is left to do, 2 = it could not be done."""
    given = _parser().parse_args(arguments)
    output = Output(sys.stdout, as_json=given.json)
    try:
        reach(given.stage)
        engine = Engine(Deployment.find(given.stage))
        command: Command = given.run
        return command(engine, given, output)
    except (OpsError, StageError, EngineError, ClientError, BotoCoreError) as error:
        sys.stderr.write(f"✗ {error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="task-engine-ops", description=__doc__)
    parser.add_argument("--stage", default="dev", choices=STAGE_NAMES, help="default: dev")
    parser.add_argument("--json", action="store_true", help="one JSON document a line")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (look_commands, work_commands, data_commands):
        module.add_to(commands)
    return parser
