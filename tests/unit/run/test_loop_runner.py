"""A loop over several invocations: no item is lost, none runs twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from task_engine.clock import SystemClock
from task_engine.config import Limits
from task_engine.errors import Unavailable
from task_engine.model.execution import Execution, ExecutionStatus, Outcome, RunContext, Step
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import Plan, PlanNode, RunClass
from task_engine.model.trigger import Trigger, TriggerRecord, TriggerType
from task_engine.processors.base import Scope
from task_engine.processors.loop import LoopProcessor
from task_engine.run.in_process import run_json
from task_engine.run.loop_runner import LoopRunner
from task_engine.run.memory import MemoryRun, ScratchState
from task_engine.run.node_runner import Answer, RunPorts
from task_engine.run.ports import Run

RUN = Run("e1", "t1", "0xowner", 1, "w1")


class Doubling:
    """Doubles the item and remembers which iterations ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.safe = False
        self.away = 0

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        self.ran.append(node.id)
        if self.away and len(self.ran) > 1:
            self.away -= 1
            raise Unavailable("throttled")
        value = scope.variables["value"]
        assert isinstance(value, int)
        return Outcome(data=value * 2)

    def replay_safe(self, node: PlanNode) -> bool:
        return self.safe


class Loops:
    """A plan with two loops over the trigger's list, in memory."""

    def __init__(self, items: list[JsonValue], timeout: int) -> None:
        self.runner = Doubling()
        config: dict[str, JsonValue] = {
            "inputVariable": "{{start.data.items}}",
            "iterationTimeout": timeout,
            "runner": {"type": "customCode", "config": {"source": "x"}},
        }
        nodes = {
            name: PlanNode(name, name, NodeType.LOOP, config, place)
            for place, name in enumerate(("l1", "l2"), 1)
        }
        trigger = Trigger("t", "start", TriggerType.MANUAL, {})
        plan = Plan(trigger, nodes, (), RunClass.EXPRESS, {})
        record = TriggerRecord(TriggerType.MANUAL, {"items": items})
        context = RunContext("Enabled", 1, 0, 0)
        execution = Execution("e1", "t1", "0xowner", 0, ExecutionStatus.PENDING, record, context, 1)
        self.memory = MemoryRun(plan, execution)
        ports = RunPorts(self.memory, self.memory, ScratchState(), SystemClock(), Limits())
        processor = LoopProcessor({NodeType.CUSTOM_CODE: lambda: self.runner})
        self._boundary = LoopRunner(processor, ports)

    def invoke(self, node_id: str, seconds: float, chunk: int | None = None) -> Answer:
        event: dict[str, object] = {"run": run_json(RUN), "nodeId": node_id, "chunk": chunk}
        return self._boundary.handle(event, seconds)

    def step(self, node_id: str) -> Step:
        return next(step for step in self.memory.steps("e1") if step.node_id == node_id)


@pytest.fixture
def loops() -> Callable[[int, int], Loops]:
    return lambda count, timeout: Loops(list(range(count)), timeout)


def test_a_short_loop_is_one_invocation(loops: Callable[[int, int], Loops]) -> None:
    given = loops(3, 1)
    assert given.invoke("l1", 60) == {"next": "done", "tokens": ["l1"]}
    assert given.step("l1").outcome.data == [0, 2, 4]


def test_a_short_loop_without_time_goes_on_as_a_chunk(
    loops: Callable[[int, int], Loops],
) -> None:
    # Given a loop whose invocations have time for one item each
    given = loops(3, 30)
    # When it is walked
    first = given.invoke("l1", 20)
    assert first == {"next": "chunks", "chunks": [0], "concurrency": 1, "tokens": []}
    assert given.invoke("l1", 20, 0)["next"] == "retry"
    assert given.invoke("l1", 20, 0) == {"next": "done", "tokens": []}
    assert given.invoke("l1", 20) == {"next": "done", "tokens": ["l1"]}
    # Then every item ran once
    assert given.runner.ran == ["l1_iter_0", "l1_iter_1", "l1_iter_2"]
    assert given.step("l1").outcome.data == [0, 2, 4]


def test_a_long_loop_runs_in_chunks_and_is_gathered(loops: Callable[[int, int], Loops]) -> None:
    given = loops(120, 1)
    answer = given.invoke("l1", 60)
    assert answer["chunks"] == [0, 1, 2]
    for chunk in (2, 0, 1):
        assert given.invoke("l1", 60, chunk)["next"] == "done"
    assert given.invoke("l1", 60)["next"] == "done"
    assert given.step("l1").outcome.data == [2 * i for i in range(120)]
    assert len(set(given.runner.ran)) == len(given.runner.ran) == 120


def test_chunks_of_two_loops_are_not_mixed(loops: Callable[[int, int], Loops]) -> None:
    given = loops(60, 1)
    given.invoke("l1", 60)
    given.invoke("l1", 60, 0)
    assert given.invoke("l2", 60)["chunks"] == [0, 1]


@pytest.mark.parametrize("chunk", [None, 0])
def test_storage_that_is_away_for_a_moment_fails_no_item_that_may_be_run_again(
    loops: Callable[[int, int], Loops], chunk: int | None
) -> None:
    # Given a loop of two such items, and storage that is away at the second
    given = loops(2, 1)
    given.runner.safe, given.runner.away = True, 1
    answer = given.invoke("l1", 60, chunk)
    assert (answer["next"], answer["tries"]) == ("retry", 1)
    # When the walk goes on
    assert given.invoke("l1", 60, 0)["next"] == "done"
    assert given.invoke("l1", 60)["next"] == "done"
    # Then both were done
    assert given.step("l1").outcome.error is None
    assert given.step("l1").outcome.data == [0, 2]


def test_storage_that_is_away_fails_an_item_that_may_not_be_run_again(
    loops: Callable[[int, int], Loops],
) -> None:
    given = loops(2, 1)
    given.runner.away = 1
    assert given.invoke("l1", 60)["next"] == "done"
    assert given.step("l1").outcome.data == [0, None]
