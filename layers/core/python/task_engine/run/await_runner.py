"""The boundary around an await node: it opens a wait, and is run again when that was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypedDict

from task_engine.errors import InvalidRequest, NodeError
from task_engine.model.execution import Outcome, StepError
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.plan import PlanNode
from task_engine.model.wait import Decision, Verdict, Wait
from task_engine.run.await_event import awaited_event
from task_engine.run.node_runner import (
    LEASE_MS,
    Answer,
    NodeCall,
    RunPorts,
    done,
    failure,
    finished_step,
    held,
    parse_call,
    patiently,
    run_processor,
)
from task_engine.run.ports import Run, StepKey, Waits

_DAY_SECONDS = 86_400
# Conditions that edges may leave from, by how the wait ended.
CONDITIONS = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.TIMEOUT: "timeout",
}


class AwaitRunner:
    """Without a decision it answers `wait`; with a task token in the payload it opens the wait and
    leaves the walk where it is. Nothing keeps running while a wait is open."""

    def __init__(self, ports: RunPorts, waits: Waits) -> None:
        self._ports = ports
        self._waits = waits

    def handle(self, event: Mapping[str, object], remaining_seconds: float) -> Answer:  # noqa: ARG002 - as any runner
        """Answers the walker; raises InvalidRequest for a payload that is none, Unavailable as
        any runner does."""
        call = parse_call(event)
        token = event.get("token")
        if isinstance(token, str):
            return self._open(call.run, self._node(call), token)
        return patiently(call, lambda: self._look(call.run, self._node(call)))

    def _node(self, call: NodeCall) -> PlanNode:
        return self._ports.plans.plan(call.run).nodes[call.node_id]

    def _open(self, run: Run, node: PlanNode, token: str) -> Answer:
        now = self._ports.clock.now_ms()
        event = awaited_event(self._ports, run, node)
        opened = replace(_wait(run, node, token, now), **_of_event(event))
        wait = self._waits.open(opened, now)
        if wait.decision is not None:
            # Decided before this walk came by (a revived one): on it goes.
            self._waits.deliver(wait)
        else:
            self._waits.arm_timeout(wait)
        return {"next": "wait", "tokens": []}

    def _look(self, run: Run, node: PlanNode) -> Answer:
        key = StepKey(node.ordinal, node.id)
        started = self._ports.clock.now_ms()
        claim = self._ports.steps.claim(run, key, LEASE_MS, started)
        if claim.stored is not None:
            return done(claim.stored)
        if claim.held_ms > 0:
            return held(claim)
        # What was decided must not become a failure because storage was away for a moment.
        wait = self._waits.find(run, key)
        unfit = self._unfit(run, node) if wait is None else None
        outcome = unfit or run_processor(lambda: _outcome(node, wait))
        if outcome.has_data or outcome.error is not None:
            step = finished_step(run, node, outcome, (started, self._ports.clock.now_ms(), 1))
            return done(self._ports.steps.store(run, step))
        self._ports.steps.release(run, key)
        return {"next": "wait", "tokens": []}

    def _unfit(self, run: Run, node: PlanNode) -> Outcome | None:
        """Why the event that it is to wait for can't be told, before the wait is opened."""
        try:
            awaited_event(self._ports, run, node)
        except NodeError as error:
            return failure(error.stable_code, error.message)
        return None


def _outcome(node: PlanNode, wait: Wait | None) -> Outcome:
    """Without data and error: not decided yet."""
    if wait is None or wait.decision is None:
        return Outcome(has_data=False)
    if node.config.get("channel") is None:
        return event_outcome(wait.decision)
    return outcome_of(wait.decision, str(node.config.get("onReject") or "fail"))


def event_outcome(decision: Decision) -> Outcome:
    """The event's data, as a trigger gives it; a timeout fails the step."""
    conditions = (CONDITIONS[decision.verdict],)
    if decision.verdict is Verdict.TIMEOUT:
        error = StepError("INVALID_REQUEST", "timed out: no such event came in time")
        return Outcome(has_data=False, error=error, conditions=conditions)
    return Outcome(data=decision.payload, conditions=conditions)


def outcome_of(decision: Decision, on_reject: str) -> Outcome:
    """`{decision, by, at, payload}` and the payload's own fields beside them, where clients of the
    published contract look; a rejection fails the step unless `onReject` is continue, a timeout
    always does."""
    fields = decision.payload if isinstance(decision.payload, dict) else {}
    data: JsonValue = {
        **fields,
        "decision": decision.verdict.value,
        "by": decision.by,
        "at": decision.at,
        "payload": decision.payload,
    }
    conditions = (CONDITIONS[decision.verdict],)
    error = None
    if decision.verdict is Verdict.TIMEOUT:
        error = StepError("INVALID_REQUEST", "timed out: nobody decided in time")
    elif decision.verdict is Verdict.REJECT and on_reject != "continue":
        error = StepError("INVALID_REQUEST", f"rejected by {decision.by}")
    return Outcome(data=data, error=error, conditions=conditions)


class _Event(TypedDict, total=False):
    chain_id: int
    event: JsonObject


def _of_event(event: JsonObject | None) -> _Event:
    chain_id = None if event is None else event.get("chainId")
    if event is None:
        return {}
    if not isinstance(chain_id, int):
        raise InvalidRequest("chainEvent.chainId is no number")
    return {"chain_id": chain_id, "event": event}


def _wait(run: Run, node: PlanNode, token: str, now_ms: int) -> Wait:
    config = node.config
    seconds = config.get("timeoutSeconds")
    approvers = config.get("approvers")
    if seconds is not None and not isinstance(seconds, int):
        raise InvalidRequest("timeoutSeconds is no number")
    return Wait(
        execution_id=run.execution_id,
        task_id=run.task_id,
        owner=run.owner,
        node_id=node.id,
        ordinal=node.ordinal,
        approvers=tuple(str(a) for a in approvers) if isinstance(approvers, list) else (),
        timeout_at=now_ms + (seconds or _DAY_SECONDS) * 1000,
        token=token,
    )
