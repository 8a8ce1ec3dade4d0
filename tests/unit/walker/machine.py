"""The state machine's definition, walked by the reference implementation of JSONata."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
DEFINITION = ROOT / "infra_cdk" / "state_machine" / "walk_plan.asl.json"


def definition() -> dict[str, Any]:
    """The definition with every placeholder filled."""
    text = DEFINITION.read_text().replace("${MaxConcurrency}", "4")
    return json.loads(re.sub(r"\$\{(\w+)\}", r"\1", text))


@dataclass(frozen=True)
class Walked:
    """What one walk did."""

    tokens: list[str]
    transitions: int
    invocations: list[str]


def walk(cases: list[dict[str, Any]]) -> list[Walked]:
    """Walk several cases in one Node process."""
    finished = subprocess.run(
        ["node", str(Path(__file__).with_name("walk.mjs"))],
        input=json.dumps({"definition": definition(), "cases": cases}),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert finished.returncode == 0, finished.stderr
    return [
        Walked(r["output"]["tokens"], r["transitions"], r["invocations"])
        for r in json.loads(finished.stdout)
    ]


def lane(sources: list[str], *nodes: str) -> dict[str, Any]:
    """A lane of customCode nodes."""
    return {"sources": sources, "nodes": [{"id": node, "type": "customCode"} for node in nodes]}


def case(
    stages: list[dict[str, Any]], answers: dict[str, list[dict[str, Any]]] | None = None
) -> dict[str, Any]:
    """A walk from a trigger with the id `t`."""
    run = {"executionId": "e", "taskId": "k", "owner": "0x1", "version": 1, "trigger": "t"}
    return {"input": {**run, "stages": stages}, "answers": answers or {}}


def fan(*lanes: dict[str, Any]) -> dict[str, Any]:
    """A stage of single-node lanes."""
    return {"fan": True, "lanes": list(lanes)}


def lanes(*stage: dict[str, Any]) -> dict[str, Any]:
    """A stage of lanes."""
    return {"fan": False, "lanes": list(stage)}
