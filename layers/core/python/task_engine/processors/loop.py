"""loop: runs one node for every item of a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome, StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.processors.base import ProcessorFactory, Scope
from task_engine.processors.loop_config import LoopConfig, parse_loop
from task_engine.processors.loop_pass import LoopPass, Runners, failed_item
from task_engine.template.render import lookup


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """Numbers of the chunks to run, and how many may run at once."""

    chunks: tuple[int, ...]
    concurrency: int


class OutOfTime(NodeError):
    """The invocation's time is over before the loop's last item, or an item has to be run again in
    `wait_seconds`; `items` are the results so far."""

    def __init__(self, items: list[JsonValue], count: int, wait_seconds: int = 1) -> None:
        super().__init__(
            f"timeout: {len(items)} of {count} iterations were done when the time was over"
        )
        self.items = items
        self.wait_seconds = wait_seconds


class LoopProcessor:
    """Runs a node per item; safe to keep between invocations.

    An item's result is a JSON object: `{ok: true, value}` or `{ok: false, error, errorCode}`, with
    `metadata` and `log` where the iteration has them. `reserve_seconds` must be left for another
    item to start; None = as many as an iteration may take, which is for runs that go on later.
    """

    def __init__(
        self, runners: Mapping[str, ProcessorFactory], reserve_seconds: float | None = None
    ) -> None:
        self._runners = Runners(runners)
        self._reserve_seconds = reserve_seconds

    def _config(self, node: PlanNode) -> LoopConfig:
        return replace(parse_loop(node), reserve_seconds=self._reserve_seconds)

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """The whole loop in one invocation. Raises NodeError, OutOfTime when it does not fit."""
        config = self._config(node)
        items = _items(config, scope)
        threads = scope.limits.loop_concurrency if config.parallel else 1
        loop_pass = LoopPass(config, scope, self._runners, items, 0)
        results = loop_pass.run([], threads)
        if len(results) < len(items):
            raise OutOfTime(results, len(items), loop_pass.wait_seconds or 1)
        return self.gather(node, results)

    def replay_safe(self, node: PlanNode) -> bool:
        """As harmless as what it runs; a configuration that can't run is."""
        try:
            config = parse_loop(node)
            with self._runners.lent(config.runner.type) as processor:
                return processor.replay_safe(config.runner)
        except NodeError:
            return True

    def chunks_needed(
        self, node: PlanNode, scope: Scope, *, spread: bool = False
    ) -> ChunkPlan | None:
        """None when the loop fits one invocation: not more items than `limits.loop_chunk_items`.
        `spread` asks for chunks even so. Raises NodeError."""
        config = parse_loop(node)
        count = len(_items(config, scope))
        if count <= scope.limits.loop_chunk_items and not spread:
            return None
        return _chunk_plan(config, count, scope.limits)

    def run_chunk(
        self, node: PlanNode, scope: Scope, chunk: int, done: list[JsonValue]
    ) -> tuple[list[JsonValue], int]:
        """Results of the chunk, `done` being those of its first items, and in how many seconds to
        go on; 0 = that is all.

        Ends before the scope's deadline with what it has, having added at least one or begun one
        that has to be run again.
        """
        config = self._config(node)
        first, items = _chunk(config, scope, chunk)
        plan = _chunk_plan(config, len(_items(config, scope)), scope.limits)
        threads = max(1, scope.limits.loop_concurrency // plan.concurrency)
        loop_pass = LoopPass(config, scope, self._runners, items, first)
        results = loop_pass.run(done, threads if config.parallel else 1)
        if len(results) == len(items):
            return results, 0
        return results, loop_pass.wait_seconds or 1

    def abandon_chunk(
        self, node: PlanNode, scope: Scope, chunk: int, done: list[JsonValue]
    ) -> list[JsonValue]:
        """Results of a chunk whose earlier invocation was cut off and may not be repeated."""
        _, items = _chunk(parse_loop(node), scope, chunk)
        lost = failed_item(
            "an earlier attempt was cut off and may have taken effect; it is not repeated",
            "EXECUTION_ENGINE_ERROR",
        )
        return [*done, *(dict(lost) for _ in items[len(done) :])]

    def gather(self, _node: PlanNode, items: list[JsonValue]) -> Outcome:
        """The loop's outcome: a value per item in order, null for one that failed. `metadata`
        tells per item whether it failed, so that a null that was returned is not mistaken."""
        results = [item for item in items if isinstance(item, dict)]
        failures = [item for item in results if item.get("ok") is not True]
        error = None
        if failures:
            message = (
                f"{len(failures)} of {len(results)} iterations failed: {failures[0].get('error')}"
            )
            error = StepError("INVALID_REQUEST", message)
        return Outcome(
            data=[item.get("value") for item in results],
            error=error,
            log="\n".join(str(item["log"]) for item in results if item.get("log")),
            metadata=[_status(item) for item in results],
        )


def _status(item: dict[str, JsonValue]) -> JsonValue:
    return {key: value for key, value in item.items() if key not in ("value", "log")}


def _items(config: LoopConfig, scope: Scope) -> list[JsonValue]:
    found, value = lookup(config.input_variable, scope)
    if not found:
        raise NodeError(f"inputVariable {config.input_variable.strip()} could not be resolved")
    if not isinstance(value, list):
        raise NodeError(f"inputVariable: expected array, got {_kind(value)}")
    if len(value) > scope.limits.max_loop_items:
        raise NodeError(
            f"inputVariable has {len(value)} items; "
            f"a loop may have {scope.limits.max_loop_items} at most"
        )
    return value


def _kind(value: JsonValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "number"


def _chunk_plan(config: LoopConfig, count: int, limits: Limits) -> ChunkPlan:
    chunks = max(1, -(-count // limits.loop_chunk_items))
    concurrency = min(chunks, limits.loop_concurrency) if config.parallel else 1
    return ChunkPlan(tuple(range(chunks)), concurrency)


def _chunk(config: LoopConfig, scope: Scope, chunk: int) -> tuple[int, list[JsonValue]]:
    size = scope.limits.loop_chunk_items
    return chunk * size, _items(config, scope)[chunk * size : (chunk + 1) * size]
