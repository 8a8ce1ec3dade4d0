"""The boundary around the loop: as any node while it fits one invocation, in chunks otherwise."""

from __future__ import annotations

from task_engine.errors import InvalidRequest
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import Plan, PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.loop import ChunkPlan, LoopProcessor, OutOfTime
from task_engine.run.node_runner import (
    LEASE_MS,
    Answer,
    NodeCall,
    NodeRunner,
    RunPorts,
    done,
    finished_step,
    held,
    retry,
    run_processor,
)
from task_engine.run.ports import Claim, Run, StepKey
from task_engine.template.redact import Redactor


class LoopRunner(NodeRunner):
    """A loop's first invocation answers with the chunks to run; each chunk is an invocation of its
    own that stores its items; the last invocation gathers them into the step. A short loop runs
    whole; when its time is over, what it has becomes the beginning of its only chunk."""

    def __init__(self, processor: LoopProcessor, ports: RunPorts) -> None:
        super().__init__(processor, ports)
        self._loop = processor

    def _handle(self, call: NodeCall, remaining_seconds: float) -> Answer:
        if call.chunk is None:
            return super()._handle(call, remaining_seconds)
        plan = self._ports.plans.plan(call.run)
        node = plan.nodes[call.node_id]
        key = StepKey(node.ordinal, node.id, call.chunk)
        claim = self._ports.steps.claim(call.run, key, LEASE_MS, self._ports.clock.now_ms())
        if claim.stored is not None:
            return {"next": "done", "tokens": []}
        if claim.held_ms > 0:
            return held(claim)
        return self._run_chunk(call.run, plan, node, (key, claim, remaining_seconds))

    def _run_chunk(
        self, run: Run, plan: Plan, node: PlanNode, work: tuple[StepKey, Claim, float]
    ) -> Answer:
        key, claim, remaining_seconds = work
        scope = self.load_scope(run, plan, node, remaining_seconds)
        chunk = key.chunk or 0
        kept = self._ports.steps.chunk_items(run, key) if claim.attempt > 1 else []
        if claim.interrupted and not self._loop.replay_safe(node):
            items, wait = self._loop.abandon_chunk(node, scope, chunk, kept), 0
        else:
            items, wait = self._loop.run_chunk(node, scope, chunk, kept)
        masked = Redactor(scope.secrets).json(items)
        if not isinstance(masked, list):
            raise InvalidRequest("a chunk's items are not a list")
        self._ports.steps.store_chunk(run, key, masked, not wait)
        return retry(wait) if wait else {"next": "done", "tokens": []}

    def _work(
        self, run: Run, plan: Plan, node: PlanNode, claim: Claim, times: tuple[int, float]
    ) -> Answer:
        if claim.interrupted and not self._loop.replay_safe(node):
            return super()._work(run, plan, node, claim, times)
        scope = self.load_scope(run, plan, node, times[1])
        chunk_plans: list[ChunkPlan] = []
        handed_over = claim.attempt > 1 and not claim.interrupted

        def look() -> Outcome:
            needed = self._loop.chunks_needed(node, scope, spread=handed_over)
            chunk_plans.extend([needed] if needed else [])
            return Outcome()

        problem = run_processor(look)
        if problem.error is None and not chunk_plans:
            return self._whole(run, node, scope, (claim, times))
        if problem.error is not None:
            return self._store(run, node, Redactor(scope.secrets).outcome(problem), claim, times)
        return self._gather_or_spread(run, node, scope, (chunk_plans[0], claim, times))

    def _whole(
        self, run: Run, node: PlanNode, scope: Scope, work: tuple[Claim, tuple[int, float]]
    ) -> Answer:
        unfinished: list[OutOfTime] = []

        def whole() -> Outcome:
            try:
                return self._loop.run(node, scope)
            except OutOfTime as error:
                unfinished.append(error)
                raise

        outcome = run_processor(whole, patient=self._loop.replay_safe(node))
        if unfinished:
            return self._hand_over(run, node, scope, unfinished[0].items)
        return self._store(run, node, Redactor(scope.secrets).outcome(outcome), *work)

    def _hand_over(self, run: Run, node: PlanNode, scope: Scope, items: list[JsonValue]) -> Answer:
        steps, chunk = self._ports.steps, StepKey(node.ordinal, node.id, 0)
        claim = steps.claim(run, chunk, LEASE_MS, self._ports.clock.now_ms())
        masked = Redactor(scope.secrets).json(items)
        if claim.stored is None and claim.held_ms == 0 and isinstance(masked, list):
            steps.store_chunk(run, chunk, masked, False)
        steps.release(run, StepKey(node.ordinal, node.id))
        return {"next": "chunks", "chunks": [0], "concurrency": 1, "tokens": []}

    def _gather_or_spread(
        self,
        run: Run,
        node: PlanNode,
        scope: Scope,
        work: tuple[ChunkPlan, Claim, tuple[int, float]],
    ) -> Answer:
        needed, claim, times = work
        key = StepKey(node.ordinal, node.id)
        finished = self._ports.steps.chunks(run, key)
        missing = [chunk for chunk in needed.chunks if chunk not in finished]
        if missing:
            self._ports.steps.release(run, key)
            return {
                "next": "chunks",
                "chunks": list(missing),
                "concurrency": needed.concurrency,
                "tokens": [],
            }
        items = [item for chunk in needed.chunks for item in finished[chunk]]
        outcome = run_processor(lambda: self._loop.gather(node, items))
        return self._store(run, node, Redactor(scope.secrets).outcome(outcome), claim, times)

    def _store(
        self, run: Run, node: PlanNode, outcome: Outcome, claim: Claim, times: tuple[int, float]
    ) -> Answer:
        ends = (times[0], self._ports.clock.now_ms(), claim.attempt)
        return done(self._ports.steps.store(run, finished_step(run, node, outcome, ends)))
