"""The boundary around every processor: claim, load, run, redact, store, answer the walker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from task_engine.call_budget import CallBudget
from task_engine.clock import Clock
from task_engine.config import Limits
from task_engine.errors import EngineError, InvalidRequest, NodeError, Unavailable
from task_engine.model.execution import Outcome, Step, StepError, StepStatus
from task_engine.model.json_value import JsonValue
from task_engine.model.node import Node, NodeType, Retry
from task_engine.model.plan import Plan, PlanNode
from task_engine.processors.base import Origin, Processor, Scope
from task_engine.run.ports import Claim, PlanStore, Run, StateStores, StepKey, StepStore
from task_engine.run.scope import build_variables
from task_engine.template.redact import Redactor

log = logging.getLogger(__name__)

# Longer than the state machine waits for a function, so that a live one is never overtaken.
LEASE_MS = 130_000
_STORE_MARGIN_SECONDS = 5.0
_STORAGE_TRIES = 5
_STORAGE_WAIT_SECONDS = 2
# Nodes of chains and bundlers are away for seconds now and then. What these types began is found
# again by its name, so trying anew is safe.
_ON_CHAIN = (
    NodeType.CONTRACT_READ,
    NodeType.CONTRACT_WRITE,
    NodeType.ETH_TRANSFER,
    NodeType.BALANCE,
)
_CHAIN_RETRY = Retry(max_attempts=5, backoff_seconds=2)

Answer = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class NodeCall:
    """One invocation: which node (or chunk of a loop) of which run. `tries` counts the walker's
    repeats because storage was unavailable."""

    run: Run
    node_id: str
    chunk: int | None = None
    tries: int = 0


def parse_run(document: object) -> Run:
    """The `run` of a walker's payload; raises InvalidRequest when it is none."""
    try:
        if not isinstance(document, Mapping):
            raise TypeError("run is not an object")
        return Run(
            execution_id=str(document["executionId"]),
            task_id=str(document["taskId"]),
            owner=str(document["owner"]),
            version=int(document["version"]),
            walk=str(document["walk"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequest(f"not a run: {error}") from error


def parse_call(event: Mapping[str, object]) -> NodeCall:
    """The walker's payload; raises InvalidRequest when it is none."""
    try:
        chunk = event.get("chunk")
        return NodeCall(
            run=parse_run(event.get("run")),
            node_id=str(event["nodeId"]),
            chunk=None if chunk is None else int(str(chunk)),
            tries=int(str(event.get("tries") or 0)),
        )
    except (KeyError, ValueError) as error:
        raise InvalidRequest(f"not a node invocation: {error}") from error


def done(step: Step) -> Answer:
    """The walker goes on with the step's tokens."""
    return {"next": "done", "tokens": list(step.tokens)}


def retry(wait_seconds: int, tries: int = 0) -> Answer:
    """The walker waits and invokes again."""
    return {"next": "retry", "waitSeconds": wait_seconds, "tries": tries, "tokens": []}


def patiently(call: NodeCall, work: Callable[[], Answer]) -> Answer:
    """Its answer; while storage is away the walker is told to try again, several times."""
    try:
        return work()
    except Unavailable:
        if call.tries + 1 >= _STORAGE_TRIES:
            raise
        log.warning("storage is unavailable: the walker will try again")
        return retry(_STORAGE_WAIT_SECONDS * 2**call.tries, call.tries + 1)


def held(claim: Claim) -> Answer:
    """The walker waits for another walk's claim, a minute at most at a time."""
    return retry(max(1, min(60, claim.held_ms // 1000)))


@dataclass(frozen=True, slots=True)
class RunPorts:
    """What a node runner works on; `simulated` runs leave nothing behind. `calls` is for a run that
    is all in this process; None gives every invocation a budget of its own."""

    steps: StepStore
    plans: PlanStore
    states: StateStores
    clock: Clock
    limits: Limits
    simulated: bool = False
    calls: CallBudget | None = None


class NodeRunner:
    """Runs the nodes of one type. Guarantees: a stored step is never run again; nothing is raised
    for what a node does wrong; what was read from secrets is masked in all that is stored."""

    def __init__(self, processor: Processor, ports: RunPorts) -> None:
        self._processor = processor
        self._ports = ports

    def handle(self, event: Mapping[str, object], remaining_seconds: float) -> Answer:
        """Answer the walker. Raises Unavailable only when storage stayed away for several tries
        (the walker's Retry and Catch take over), InvalidRequest for a payload that is none."""
        call = parse_call(event)
        return patiently(call, lambda: self._handle(call, remaining_seconds))

    def _handle(self, call: NodeCall, remaining_seconds: float) -> Answer:
        plan = self._ports.plans.plan(call.run)
        node = plan.nodes[call.node_id]
        key = StepKey(node.ordinal, node.id)
        started = self._ports.clock.now_ms()
        claim = self._ports.steps.claim(call.run, key, LEASE_MS, started)
        if claim.stored is not None:
            return done(claim.stored)
        if claim.held_ms > 0:
            return held(claim)
        return self._work(call.run, plan, node, claim, (started, remaining_seconds))

    def _work(
        self, run: Run, plan: Plan, node: PlanNode, claim: Claim, times: tuple[int, float]
    ) -> Answer:
        started, remaining_seconds = times
        key = StepKey(node.ordinal, node.id)
        safe = self._processor.replay_safe(node)
        if claim.interrupted and not safe:
            outcome = _interrupted()
        else:
            scope = self.load_scope(run, plan, node, remaining_seconds)
            outcome = run_processor(lambda: self._processor.run(node, scope), patient=safe)
            wait = outcome.wait_seconds or _retry_wait(node, outcome, claim.attempt)
            if wait:
                self._ports.steps.release(run, key)
                return retry(wait)
            outcome = Redactor(scope.secrets).outcome(outcome)
        step = finished_step(
            run, node, outcome, (started, self._ports.clock.now_ms(), claim.attempt)
        )
        stored = self._ports.steps.store(run, step)
        took = stored.end_at - started
        log.info("step stored", extra={"status": stored.status.value, "duration_ms": took})
        return done(stored)

    def load_scope(self, run: Run, plan: Plan, node: PlanNode, remaining_seconds: float) -> Scope:
        """Everything the node reads, in one round trip."""
        reads = [StepKey(plan.nodes[i].ordinal, i) for i in node.reads if i in plan.nodes]
        loaded = self._ports.steps.load(run, reads, node.secrets)
        return Scope(
            variables=build_variables(plan, node, loaded),
            secrets=loaded.secrets,
            limits=self._ports.limits,
            deadline=self._ports.clock.monotonic() + remaining_seconds - _STORE_MARGIN_SECONDS,
            state=self._ports.states.of(run.task_id),
            simulated=self._ports.simulated,
            origin=None if self._ports.simulated else _origin(run),
            run_key=run.execution_id if self._ports.simulated else "",
            calls=self._ports.calls or CallBudget(self._ports.limits.max_chain_calls),
        )


def _origin(run: Run) -> Origin:
    return Origin(run.execution_id, run.task_id, run.owner)


def run_processor(work: Callable[[], Outcome], *, patient: bool = False) -> Outcome:
    """The one place where what goes wrong inside a processor becomes the step's error. `patient`
    raises Unavailable, which says nothing of the node: for callers who run it again."""
    try:
        return work()
    except NodeError as error:
        return failure(error.stable_code, error.message, retryable=error.may_retry)
    except EngineError as error:
        if patient and isinstance(error, Unavailable):
            raise
        return failure(error.stable_code, error.message, retryable=error.retryable)
    except Exception:
        # The log's formatter tells kinds and places of exceptions, never their texts.
        log.exception("a processor failed unexpectedly")
        return failure("EXECUTION_ENGINE_ERROR", "the engine failed while running this node")


def failure(code: str, message: str, *, retryable: bool = False) -> Outcome:
    """An outcome without data."""
    return Outcome(has_data=False, error=StepError(code, message, retryable))


def _interrupted() -> Outcome:
    return failure(
        "EXECUTION_ENGINE_ERROR",
        "an earlier attempt was cut off and may have taken effect; it is not repeated, because "
        "repeating it could do the same thing twice",
    )


def _retry_wait(node: PlanNode, outcome: Outcome, attempt: int) -> int:
    """Seconds to wait before the node is tried again, 0 when it is not."""
    policy = node.retry or (_CHAIN_RETRY if node.type in _ON_CHAIN else None)
    if policy is None or outcome.error is None or not outcome.error.retryable:
        return 0
    if attempt >= policy.max_attempts:
        return 0
    return max(1, min(60, int(policy.backoff_seconds * 2 ** (attempt - 1))))


def finished_step(
    run: Run, node: PlanNode | Node, outcome: Outcome, times: tuple[int, int, int]
) -> Step:
    """The step of an outcome; `times` is (start ms, end ms, attempt). It emits its id, failed or
    not, and the conditions it took. A wait that failed, and a node that stops on errors, emits no
    id: what was to happen after an approval must not happen without one (docs/adr/0013)."""
    start_at, end_at, attempt = times
    stops = node.type is NodeType.AWAIT or (isinstance(node, PlanNode) and node.stops)
    refused = stops and outcome.error is not None
    own = () if refused else (node.id,)
    tokens = (*own, *(f"{node.id}.{condition}" for condition in outcome.conditions))
    return Step(
        execution_id=run.execution_id,
        node_id=node.id,
        ordinal=node.ordinal if isinstance(node, PlanNode) else 0,
        name=node.name,
        type=NodeType(node.type),
        status=StepStatus.FAILED if outcome.error else StepStatus.SUCCESS,
        start_at=start_at,
        end_at=end_at,
        attempt=attempt,
        tokens=tokens,
        outcome=outcome,
    )
