"""The two state machines, both from the one readable definition."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra_cdk.constructs.log_group import log_group
from infra_cdk.constructs.python_function import PythonFunction
from infra_cdk.nag import acknowledge
from infra_cdk.stage import StageConfig

STANDARD_ONLY = {
    "await": "node_await",
    "contractWrite": "node_contract_write",
    "ethTransfer": "node_eth_transfer",
    "chainLoop": "node_chain_loop",
}
DEFINITION = Path(__file__).resolve().parent.parent / "state_machine" / "walk_plan.asl.json"


class Walker(Construct):
    """Express for short runs and blocking triggers, Standard for waits and on-chain writes."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        stage: StageConfig,
        functions: Mapping[str, PythonFunction],
    ) -> None:
        super().__init__(scope, construct_id)
        walked = list(functions.values())
        brief = [f for f in walked if f.spec.name not in STANDARD_ONLY.values()]
        self.express = WalkPlan(self, "Express", stage, brief)
        self.standard = WalkPlan(self, "Standard", stage, walked)


class WalkPlan(Construct):
    """One state machine; its role may invoke the functions that its definition names, no other."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        stage: StageConfig,
        functions: Sequence[PythonFunction],
    ) -> None:
        super().__init__(scope, construct_id)
        kind = construct_id.lower()
        self.name = machine_name(stage, kind)
        role = self._role(functions)
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=self.name,
            state_machine_type=sfn.StateMachineType[construct_id.upper()],
            definition_body=sfn.DefinitionBody.from_string(
                definition(stage.map_concurrency, waits=kind == "standard")
            ),
            definition_substitutions={
                "Partition": Aws.PARTITION,
                **{f.spec.construct_id: f.function.function_arn for f in functions},
            },
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=log_group(self, f"/aws/vendedlogs/states/{self.name}", stage),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
        )

    def _role(self, functions: Sequence[PythonFunction]) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description="What a walk may do: invoke the functions of nodes",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"],
                resources=[f.function.function_arn for f in functions],
            )
        )
        acknowledge(
            role,
            "X-Ray and the delivery of Step Functions' logs know no resources",
            "IAM5[Resource::*]",
        )
        return role


def machine_name(stage: StageConfig, kind: str) -> str:
    """The name of the stage's express or standard machine."""
    return f"{stage.prefix}-walk-{kind}"


def definition(map_concurrency: int, *, waits: bool = True) -> str:
    """The definition's text; what is left in `${…}` are names for CloudFormation to fill in.

    Express machines may not wait for a task token and may start twice, and plans that wait or
    write on chain never walk on one; without `waits` all that is only theirs is left out.
    https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html
    """
    text = DEFINITION.read_text(encoding="utf-8")
    text = text.replace("${MaxConcurrency}", str(map_concurrency))
    return text if waits else json.dumps(_without_waits(json.loads(text)), indent=2)


def _without_waits(machine: dict[str, Any]) -> dict[str, Any]:
    for kind in STANDARD_ONLY:
        del machine["States"]["Begin"]["Assign"]["functions"][kind]
    lane = machine["States"]["Lanes"]["ItemProcessor"]["States"]
    del lane["AwaitDecision"]
    choice = lane["AfterNode"]
    choice["Choices"] = [c for c in choice["Choices"] if c["Next"] != "AwaitDecision"]
    return machine
