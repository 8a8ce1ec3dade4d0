"""One pass over items of a loop: in order or by several threads, until done or out of time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from task_engine.errors import EngineError, NodeError, Unavailable
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.processors.base import Processor, ProcessorFactory, Scope
from task_engine.processors.loop_config import LoopConfig

ItemResult = dict[str, JsonValue]


class Runners:
    """Processors by node type, made when first needed and lent to one thread at a time."""

    def __init__(self, factories: Mapping[str, ProcessorFactory]) -> None:
        self._factories = factories
        self._idle: dict[NodeType, deque[Processor]] = {}

    @contextmanager
    def lent(self, node_type: NodeType) -> Iterator[Processor]:
        """Raises NodeError when this deployment has none of that type."""
        idle = self._idle.setdefault(node_type, deque())
        try:
            processor = idle.pop()
        except IndexError:
            processor = self._make(node_type)
        try:
            yield processor
        finally:
            idle.append(processor)

    def _make(self, node_type: NodeType) -> Processor:
        factory = self._factories.get(node_type)
        if factory is None:
            raise NodeError(f"a loop can't run {node_type.value} here", code="INVALID_NODE_CONFIG")
        return factory()


class LoopPass:
    """Runs `items`, whose first is the loop's item number `first`, from `done` on.

    Items start in order, so that what has ended is always a beginning of them. The first always
    starts; another only while a whole iteration fits before the scope's deadline. An item that has
    to be run again later ends the pass, and `wait_seconds` says how much later; only what runs in
    order has such items. Unavailable ends it too where every item may be run again.
    """

    def __init__(
        self, config: LoopConfig, scope: Scope, runners: Runners, items: list[JsonValue], first: int
    ) -> None:
        self._config = config
        self._scope = scope
        self._runners = runners
        self._items = items
        self._first = first
        self._lock = threading.Lock()
        self._begun = 0
        self._next = 0
        self._broken = False
        self._results: dict[int, ItemResult] = {}
        self.wait_seconds = 0

    def run(self, done: list[JsonValue], threads: int) -> list[JsonValue]:
        """`done` and the results that were added; all of them when as many as items."""
        self._begun = self._next = len(done)
        workers = min(threads, len(self._items) - len(done))
        if workers <= 1:
            self._work()
        else:
            with ThreadPoolExecutor(workers, thread_name_prefix="iteration") as pool:
                running = [pool.submit(self._work) for _ in range(workers)]
            for worker in running:
                worker.result()
        ended = self._next - bool(self.wait_seconds)
        return [*done, *(self._results[place] for place in range(self._begun, ended))]

    def _take(self) -> int | None:
        with self._lock:
            place = self._next
            if self._broken or place >= len(self._items):
                return None
            reserve = self._config.reserve_seconds
            needed = self._config.seconds if reserve is None else reserve
            fits = time.monotonic() + needed < self._scope.deadline
            if place > self._begun and not fits:
                return None
            self._next += 1
            return place

    def _work(self) -> None:
        try:
            while (place := self._take()) is not None:
                result = self._iterate(place)
                if self.wait_seconds:
                    self._broken = True
                    return
                self._results[place] = result
        except BaseException:
            self._broken = True
            raise

    def _iterate(self, place: int) -> ItemResult:
        index = self._first + place
        config = self._config
        child = self._scope.child({config.value_name: self._items[place], config.key_name: index})
        until = min(self._scope.deadline, time.monotonic() + config.seconds)
        child = replace(child, deadline=until)
        safe = False
        try:
            with self._runners.lent(config.runner.type) as processor:
                safe = processor.replay_safe(config.runner)
                outcome = processor.run(config.iteration(index), child)
        except EngineError as error:
            if safe and isinstance(error, Unavailable):
                raise
            return failed_item(error.message, error.stable_code)
        self.wait_seconds = outcome.wait_seconds
        result: ItemResult
        if outcome.error is not None:
            result = failed_item(outcome.error.message, outcome.error.code)
        else:
            result = {"ok": True, "value": outcome.data}
        if outcome.metadata is not None:
            result["metadata"] = outcome.metadata
        if outcome.log:
            result["log"] = outcome.log
        return result


def failed_item(message: str, code: str) -> ItemResult:
    """The result of an item that failed."""
    return {"ok": False, "error": message, "errorCode": code}
