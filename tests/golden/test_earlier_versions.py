"""What earlier versions stored, and what their walks still send, is understood by this one.

A folder for each version, written when it was released and never changed: rows that stand in
tables for as long as their owners keep them, payloads of Standard walks, which may run for a year.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from task_engine.aws.blobs import BlobStore
from task_engine.aws.execution_codec import NO_RECORD, execution_from_item, record_from_json
from task_engine.aws.packed import Packer, compressed
from task_engine.aws.step_codec import outcome_from_json, step_from_item
from task_engine.aws.task_codec import task_from_item
from task_engine.compiler.compile import compile_definition
from task_engine.compiler.walk_input import walk_input
from task_engine.model.codec import definition_from_json, plan_from_json
from task_engine.model.execution import ExecutionStatus
from task_engine.model.node import NodeType
from task_engine.run.node_runner import parse_call, parse_run

from infra_cdk.catalogue import FUNCTIONS

VERSIONS = sorted(path for path in Path(__file__).parent.iterdir() if path.name[0].isdigit())
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def no_blobs() -> BlobStore:
    """Nothing here is large."""
    raise AssertionError("a blob was asked for")


def read(version: Path, name: str) -> Any:
    return json.loads((version / name).read_text(encoding="utf-8"))


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def version(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_definitions_and_plans_are_read(version: Path) -> None:
    stored = read(version, "stored.json")
    definition, plan = definition_from_json(stored["definition"]), plan_from_json(stored["plan"])
    # Every node is one that this version knows, and the plan walks all of them.
    assert {node.id for node in definition.nodes} == plan.nodes.keys()
    assert {NodeType(node.type) for node in plan.nodes.values()}
    walked = {
        node["id"]
        for stage in walk_input(plan)["stages"]
        for lane in stage["lanes"]
        for node in lane["nodes"]
    }
    assert walked == plan.nodes.keys()
    # A task that was created then can be compiled, and so created, again.
    assert compile_definition(definition).nodes.keys() == plan.nodes.keys()


def test_rows_are_read(version: Path) -> None:
    stored = read(version, "stored.json")
    item = {**stored["task"], "definition": compressed(stored["definition"])}
    task = task_from_item(item, Packer(no_blobs, 200_000))
    assert (task.execution_count, task.refusal(0)) == (3, None)
    execution = execution_from_item(stored["execution"], record_from_json(stored["trigger"]))
    assert execution.status is ExecutionStatus.PENDING
    assert (execution.trigger.variables, execution.resumes) == ({"e": 2}, 0)
    assert execution.trigger != NO_RECORD
    step = step_from_item(stored["step"], outcome_from_json(stored["outcome"]))
    assert (step.node_id, step.ordinal, step.tokens) == ("n1", 1, ("n1",))
    assert step.outcome.error is not None
    assert step.outcome.chain is not None


def test_payloads_are_understood(version: Path) -> None:
    sent = read(version, "sent.json")
    calls = [parse_call(event) for name, event in sent.items() if name.startswith("node ")]
    assert {call.run.version for call in calls} == {1}
    for name in ("fail_step", "finish_execution"):
        assert parse_run(sent[name]["run"]).walk
    for name in ("schedule_cron", "schedule_fixed_time", "wait_timeout"):
        assert sent[name]["kind"] in ("schedule", "wait")


def test_functions_that_walks_call_are_still_there(version: Path) -> None:
    text = (version / "walk_plan.asl.json").read_text(encoding="utf-8")
    called = set(PLACEHOLDER.findall(text)) - {"MaxConcurrency", "Partition"}
    assert called
    assert called <= {spec.construct_id for spec in FUNCTIONS.values()}
