"""What a loop does with its items, whole and in chunks."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome, StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.base import Scope
from task_engine.processors.loop import ChunkPlan, LoopProcessor, OutOfTime
from task_engine.processors.rest_api import RestApiProcessor

from tests.servers.http_server import HttpServer

Work = Callable[[PlanNode, Scope], Outcome]


class Runner:
    """A runner that does what it is given and remembers which nodes it ran."""

    def __init__(self, work: Work | None = None, *, safe: bool = True) -> None:
        self._work = work or (lambda node, scope: Outcome(data=scope.variables["value"]))
        self._safe = safe
        self.nodes: list[PlanNode] = []

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        self.nodes.append(node)
        return self._work(node, scope)

    def replay_safe(self, node: PlanNode) -> bool:
        return self._safe


RUNNER: dict[str, JsonValue] = {"type": "customCode", "config": {"source": "x"}}


def loop(**config: JsonValue) -> PlanNode:
    given: dict[str, JsonValue] = {"inputVariable": "{{items}}", "runner": RUNNER, **config}
    return PlanNode("l1", "each", NodeType.LOOP, given, 3)


def scope(items: JsonValue, **limits: int) -> Scope:
    return Scope({"items": items}, limits=Limits(**limits))


def processor(runner: Runner) -> LoopProcessor:
    return LoopProcessor({NodeType.CUSTOM_CODE: lambda: runner})


def double(node: PlanNode, given: Scope) -> Outcome:
    value = given.variables["value"]
    assert isinstance(value, int)
    return Outcome(data=value * 2)


def test_one_result_per_item_in_order() -> None:
    runner = Runner(double)
    outcome = processor(runner).run(loop(), scope([3, 1, 2]))
    assert outcome.error is None
    assert outcome.data == [6, 2, 4]
    assert outcome.metadata == [{"ok": True}] * 3
    assert [node.id for node in runner.nodes] == ["l1_iter_0", "l1_iter_1", "l1_iter_2"]
    assert {node.type for node in runner.nodes} == {NodeType.CUSTOM_CODE}


def test_nothing_to_do_is_a_success() -> None:
    outcome = processor(Runner()).run(loop(), scope([]))
    assert (outcome.error, outcome.data) == (None, [])


@pytest.mark.parametrize("name", ["iterVal", "iterVar"])
def test_the_names_of_item_and_index_are_chosen(name: str) -> None:
    runner = Runner(lambda node, s: Outcome(data=[s.variables["it"], s.variables["at"]]))
    given = scope(["a", "b"])
    outcome = processor(runner).run(loop(**{name: "it", "iterKey": "at"}), given)
    assert outcome.data == [["a", 0], ["b", 1]]
    assert set(given.variables) == {"items"}


def test_default_names_are_value_and_index() -> None:
    runner = Runner(lambda node, s: Outcome(data=[s.variables["value"], s.variables["index"]]))
    assert processor(runner).run(loop(), scope(["a"])).data == [["a", 0]]


def test_a_failed_item_is_null_and_the_others_are_kept() -> None:
    def second_fails(node: PlanNode, given: Scope) -> Outcome:
        if given.variables["value"] == 2:
            raise NodeError("two", code="INVALID_NODE_CONFIG")
        if given.variables["value"] == 4:
            return Outcome(data="soft", error=StepError("INVALID_REQUEST", "four"))
        return Outcome(data=None)

    outcome = processor(Runner(second_fails)).run(loop(), scope([1, 2, 3, 4]))
    assert outcome.has_data
    assert outcome.data == [None, None, None, None]
    assert outcome.error == StepError("INVALID_REQUEST", "2 of 4 iterations failed: two")
    assert outcome.metadata == [
        {"ok": True},
        {"ok": False, "error": "two", "errorCode": "INVALID_NODE_CONFIG"},
        {"ok": True},
        {"ok": False, "error": "four", "errorCode": "INVALID_REQUEST"},
    ]


def test_a_null_that_was_returned_is_no_failure() -> None:
    outcome = processor(Runner(lambda node, s: Outcome(data=None))).run(loop(), scope([1, 2]))
    assert (outcome.error, outcome.data) == (None, [None, None])


def test_metadata_and_logs_of_iterations_are_kept() -> None:
    runner = Runner(
        lambda node, s: Outcome(data=1, metadata={"transactionHash": "0x1"}, log=f"at {node.id}")
    )
    outcome = processor(runner).run(loop(), scope([1, 2]))
    assert outcome.metadata == [{"ok": True, "metadata": {"transactionHash": "0x1"}}] * 2
    assert outcome.log == "at l1_iter_0\nat l1_iter_1"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({"a": 1}, "expected array, got object"),
        ("text", "expected array, got string"),
        (7, "expected array, got number"),
        (True, "expected array, got boolean"),
    ],
)
def test_what_is_no_array_fails(items: JsonValue, message: str) -> None:
    with pytest.raises(NodeError, match=message):
        processor(Runner()).run(loop(), scope(items))


def test_an_input_that_is_not_there_fails() -> None:
    with pytest.raises(NodeError, match="could not") as caught:
        processor(Runner()).run(loop(inputVariable="{{gone.data.list}}"), scope([]))
    assert "gone.data.list" in caught.value.message


def test_the_input_is_found_by_path() -> None:
    given = Scope({"fetch": {"data": {"pages": [{"users": [1, 2]}]}}})
    node = loop(inputVariable="{{ fetch.data.pages[0].users }}")
    assert processor(Runner(double)).run(node, given).data == [2, 4]


def test_too_many_items_run_none_of_them() -> None:
    runner = Runner()
    with pytest.raises(NodeError, match="at most"):
        processor(runner).run(loop(), scope(list(range(11)), max_loop_items=10))
    assert runner.nodes == []


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"inputVariable": ""}, "MISSING_REQUIRED_FIELD"),
        ({"inputVariable": None}, "MISSING_REQUIRED_FIELD"),
        ({"runner": None}, "MISSING_REQUIRED_FIELD"),
        ({"runner": {}}, "MISSING_REQUIRED_FIELD"),
        ({"runner": {"type": "customCode"}}, "MISSING_REQUIRED_FIELD"),
        ({"runner": {"type": "loop", "config": {}}}, "INVALID_NODE_CONFIG"),
        ({"runner": {"type": "branch", "config": {}}}, "INVALID_NODE_CONFIG"),
        ({"runner": {"type": "filter", "config": {}}}, "INVALID_NODE_CONFIG"),
        ({"runner": {"type": "balance", "config": {}}}, "INVALID_NODE_CONFIG"),
        ({"runner": {"type": "await", "config": {}}}, "INVALID_NODE_CONFIG"),
        ({"runner": {"type": "nonsense", "config": {}}}, "INVALID_NODE_CONFIG"),
        ({"iterVal": "not a name"}, "INVALID_NODE_CONFIG"),
        ({"iterationTimeout": "soon"}, "INVALID_NODE_CONFIG"),
        ({"iterationTimeout": -1}, "INVALID_NODE_CONFIG"),
    ],
)
def test_what_can_not_work_is_refused(config: dict[str, JsonValue], code: str) -> None:
    loops = processor(Runner())
    with pytest.raises(NodeError) as caught:
        loops.run(loop(**config), scope([1]))
    assert caught.value.stable_code == code
    assert loops.replay_safe(loop(**config)) is True


def test_a_runner_that_is_not_deployed_fails_each_item() -> None:
    runner: dict[str, JsonValue] = {"type": "ethTransfer", "config": {}}
    outcome = processor(Runner()).run(loop(runner=runner), scope([1]))
    assert outcome.error is not None
    assert "ethTransfer" in outcome.error.message


@pytest.mark.parametrize("word", ["graphqlDataQuery", "graphql", "graphqlQuery"])
def test_a_runner_may_be_a_whole_node_and_go_by_an_old_name(word: str) -> None:
    runner = Runner()
    loops = LoopProcessor({NodeType.GRAPHQL_QUERY: lambda: runner})
    given: dict[str, JsonValue] = {"type": word, "id": "r", "name": "inner", "config": {"a": 1}}
    loops.run(loop(runner=given), scope([1]))
    assert runner.nodes[0].name == "inner"
    assert runner.nodes[0].type is NodeType.GRAPHQL_QUERY
    assert runner.nodes[0].config == {"a": 1}


def at_once(mode: str, runner_type: str = "customCode") -> int:
    """How many iterations were seen to run at the same time."""
    lock = threading.Lock()
    gate = threading.Barrier(4, timeout=0.3)
    running: set[str] = set()
    most = 0

    def work(node: PlanNode, given: Scope) -> Outcome:
        nonlocal most
        with lock:
            running.add(node.id)
            most = max(most, len(running))
        with contextlib.suppress(threading.BrokenBarrierError):
            gate.wait()
        with lock:
            running.discard(node.id)
        return Outcome(data=given.variables["value"])

    loops = LoopProcessor({runner_type: lambda: Runner(work)})
    given: dict[str, JsonValue] = {"type": runner_type, "config": {}}
    node = loop(executionMode=mode, runner=given)
    outcome = loops.run(node, scope(list(range(8)), loop_concurrency=4))
    assert outcome.data == list(range(8))
    return most


@pytest.mark.parametrize("mode", ["parallel", "Parallel", "PARALLEL"])
def test_parallel_is_bounded_and_keeps_the_order(mode: str) -> None:
    assert at_once(mode) == 4


@pytest.mark.parametrize("mode", ["sequential", "SEQUENTIAL", "sideways", ""])
def test_anything_else_is_sequential(mode: str) -> None:
    assert at_once(mode) == 1


@pytest.mark.parametrize("runner_type", ["contractRead", "contractWrite", "ethTransfer"])
def test_on_chain_runners_are_always_sequential(runner_type: str) -> None:
    assert at_once("parallel", runner_type) == 1


def test_a_processor_serves_one_thread_at_a_time() -> None:
    busy = threading.local()
    made: list[Runner] = []

    def factory() -> Runner:
        lock = threading.Lock()

        def work(node: PlanNode, given: Scope) -> Outcome:
            assert lock.acquire(blocking=False)
            busy.name = node.id
            lock.release()
            return Outcome(data=busy.name)

        made.append(Runner(work))
        return made[-1]

    loops = LoopProcessor({NodeType.CUSTOM_CODE: factory})
    outcome = loops.run(loop(executionMode="parallel"), scope(list(range(40)), loop_concurrency=4))
    assert outcome.data == [f"l1_iter_{i}" for i in range(40)]
    assert 1 <= len(made) <= 4


def test_an_iteration_gets_its_own_deadline() -> None:
    left: list[float] = []

    def work(node: PlanNode, given: Scope) -> Outcome:
        left.append(given.deadline - time.monotonic())
        return Outcome()

    processor(Runner(work)).run(loop(iterationTimeout=7), scope([1]))
    processor(Runner(work)).run(loop(), scope([1]))
    processor(Runner(work)).run(loop(), replace(scope([1]), deadline=time.monotonic() + 2))
    assert [round(seconds) for seconds in left] == [7, 30, 2]


def test_a_loop_that_does_not_fit_its_time_tells_what_it_has() -> None:
    given = replace(scope([1, 2, 3]), deadline=time.monotonic() + 10)
    with pytest.raises(OutOfTime, match="timeout: 1 of 3") as caught:
        processor(Runner(double)).run(loop(iterationTimeout=30), given)
    assert caught.value.items == [{"ok": True, "value": 2}]


@pytest.mark.parametrize(
    ("count", "mode", "plan"),
    [
        (50, "sequential", None),
        (51, "sequential", ChunkPlan((0, 1), 1)),
        (300, "sequential", ChunkPlan(tuple(range(6)), 1)),
        (51, "parallel", ChunkPlan((0, 1), 2)),
        (1000, "parallel", ChunkPlan(tuple(range(20)), 10)),
    ],
)
def test_when_chunks_are_needed(count: int, mode: str, plan: ChunkPlan | None) -> None:
    loops = processor(Runner())
    assert loops.chunks_needed(loop(executionMode=mode), scope(list(range(count)))) == plan


def test_a_short_loop_is_spread_when_asked_to() -> None:
    plan = processor(Runner()).chunks_needed(loop(), scope([1, 2]), spread=True)
    assert plan == ChunkPlan((0,), 1)


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_hundreds_of_items_in_chunks_give_what_the_whole_gives(mode: str) -> None:
    loops, node, given = processor(Runner(double)), loop(executionMode=mode), scope([*range(321)])
    plan = loops.chunks_needed(node, given)
    assert plan is not None
    gathered: list[JsonValue] = []
    for chunk in plan.chunks:
        items, wait = loops.run_chunk(node, given, chunk, [])
        assert wait == 0
        gathered.extend(items)
    assert loops.gather(node, gathered) == loops.run(node, given)
    assert loops.gather(node, gathered).data == [2 * i for i in range(321)]


def test_a_chunk_goes_on_where_it_stopped_and_repeats_nothing() -> None:
    # Given a chunk whose time is over after each item
    runner = Runner(double)
    loops, node = processor(runner), loop()
    hurried = replace(scope([*range(53)]), deadline=time.monotonic() + 20)
    # When it is run until it says that it is finished
    items: list[JsonValue] = []
    wait, invocations = 1, 0
    while wait:
        items, wait = loops.run_chunk(node, hurried, 1, items)
        invocations += 1
    # Then each item ran once, under its number in the whole loop
    assert invocations == 3
    assert [node.id for node in runner.nodes] == ["l1_iter_50", "l1_iter_51", "l1_iter_52"]
    assert loops.gather(node, items).data == [100, 102, 104]


def test_a_chunk_that_may_not_be_repeated_is_given_up() -> None:
    runner = Runner(safe=False)
    loops, node, given = processor(runner), loop(), scope([*range(52)])
    assert loops.replay_safe(node) is False
    kept: list[JsonValue] = [{"ok": True, "value": 1}]
    items = loops.abandon_chunk(node, given, 1, kept)
    outcome = loops.gather(node, items)
    assert outcome.data == [1, None]
    assert outcome.error is not None
    assert outcome.error.message.startswith("1 of 2 iterations failed: an earlier attempt")
    assert runner.nodes == []


def test_a_request_for_each_of_hundreds_of_items_is_made_once() -> None:
    with HttpServer() as server:
        http = SafeHttp(EgressPolicy(["127.0.0.1"]), Limits())
        loops = LoopProcessor({NodeType.REST_API: lambda: RestApiProcessor(http)})
        runner: dict[str, JsonValue] = {
            "type": "restApi",
            "config": {"url": server.url + "/count/{{value.id}}", "method": "POST"},
        }
        node = loop(executionMode="parallel", runner=runner)
        items: list[JsonValue] = [{"id": f"item-{i}"} for i in range(200)]
        outcome = loops.run(node, scope(items))
        assert outcome.error is None
        assert outcome.data == [{"key": f"item-{i}", "count": 1} for i in range(200)]
        assert all(server.count(f"item-{i}") == 1 for i in range(200))


def test_failures_of_requests_are_told_per_item() -> None:
    with HttpServer() as server:
        http = SafeHttp(EgressPolicy(["127.0.0.1"]), Limits())
        loops = LoopProcessor({NodeType.REST_API: lambda: RestApiProcessor(http)})
        runner: dict[str, JsonValue] = {
            "type": "restApi",
            "config": {"url": server.url + "/status/{{value}}"},
        }
        outcome = loops.run(loop(runner=runner), scope([200, 404, 200]))
    assert outcome.data == [{"status": 200}, None, {"status": 200}]
    assert outcome.error is not None
    assert outcome.error.message == "1 of 3 iterations failed: HTTP 404: Not Found"


def test_an_item_that_has_to_be_run_again_ends_the_pass() -> None:
    # Given a runner whose third item has begun something that ends later
    begun: list[JsonValue] = []

    def slow(_: PlanNode, given: Scope) -> Outcome:
        value = given.variables["value"]
        begun.append(value)
        late = value == 2 and begun.count(2) < 3
        return Outcome(wait_seconds=7) if late else Outcome(data=value)

    loops, node, given = processor(Runner(slow)), loop(), scope([0, 1, 2, 3])
    # When the chunk is run until it says that it is finished
    items, wait = loops.run_chunk(node, given, 0, [])
    waits = [wait]
    while wait:
        items, wait = loops.run_chunk(node, given, 0, items)
        waits.append(wait)
    # Then only that item was run again, after the time that it asked for
    assert waits == [7, 7, 0]
    assert begun == [0, 1, 2, 2, 2, 3]
    assert loops.gather(node, items).data == [0, 1, 2, 3]


def test_a_whole_loop_is_handed_over_when_an_item_has_to_wait() -> None:
    loops, given = processor(Runner(lambda _, __: Outcome(wait_seconds=4))), scope([1])
    with pytest.raises(OutOfTime) as raised:
        loops.run(loop(), given)
    assert (raised.value.items, raised.value.wait_seconds) == ([], 4)
