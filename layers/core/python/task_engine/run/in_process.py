"""The walker in one process: the same plan, the same node runners, no state machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import Lane, Plan
from task_engine.run.node_runner import Answer
from task_engine.run.ports import Run


class Runner(Protocol):
    """Answers for the nodes of one type."""

    def handle(self, event: Mapping[str, object], remaining_seconds: float) -> Answer:
        """One invocation."""


class InProcessWalker:
    """Walks stage by stage and lane by lane as `walk_plan.asl.json` does, one node at a time.

    `wait` is called with the seconds that the state machine would wait before a retry.
    """

    def __init__(
        self,
        runners: Mapping[NodeType, Runner],
        wait: Callable[[float], None],
        remaining_seconds: float = 90.0,
    ) -> None:
        self._runners = runners
        self._wait = wait
        self._remaining_seconds = remaining_seconds

    def walk(self, run: Run, plan: Plan) -> frozenset[str]:
        """Run all that the tokens reach; returns every token emitted."""
        tokens = {plan.trigger.id}
        for stage in plan.stages:
            reached = [lane for lane in stage.lanes if not tokens.isdisjoint(lane.sources)]
            for lane in reached:
                tokens.update(self._walk_lane(run, plan, lane))
        return frozenset(tokens)

    def _walk_lane(self, run: Run, plan: Plan, lane: Lane) -> list[str]:
        tokens: list[str] = []
        for node_id in lane.nodes:
            tokens.extend(self._run_node(run, plan.nodes[node_id].type, node_id))
        return tokens

    def _run_node(self, run: Run, node_type: NodeType, node_id: str) -> list[str]:
        event: dict[str, object] = {"run": run_json(run), "nodeId": node_id}
        while True:
            answer = self._invoke(node_type, event)
            if answer["next"] == "chunks":
                chunks = answer["chunks"]
                for chunk in chunks if isinstance(chunks, list) else []:
                    self._run_chunk(node_type, {**event, "chunk": chunk})
                continue
            tokens = answer["tokens"]
            return [str(token) for token in tokens] if isinstance(tokens, list) else []

    def _run_chunk(self, node_type: NodeType, event: Mapping[str, object]) -> None:
        self._invoke(node_type, event)

    def _invoke(self, node_type: NodeType, event: Mapping[str, object]) -> Answer:
        tries: JsonValue = 0
        while True:
            answer = self._runners[node_type].handle(
                {**event, "tries": tries}, self._remaining_seconds
            )
            if answer["next"] != "retry":
                return answer
            tries = answer.get("tries", 0)
            self._wait(float(str(answer["waitSeconds"])))


def run_json(run: Run) -> dict[str, JsonValue]:
    """A run as the state machine's payloads carry it."""
    return {
        "executionId": run.execution_id,
        "taskId": run.task_id,
        "owner": run.owner,
        "version": run.version,
        "walk": run.walk,
    }
