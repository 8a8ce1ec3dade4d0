"""Decisions on waits: by a person through the API, or by the clock."""

from __future__ import annotations

from typing import Protocol

from task_engine.clock import Clock
from task_engine.errors import Forbidden, InvalidRequest, NotFound, PreconditionFailed, Problem
from task_engine.model.execution import Execution
from task_engine.model.json_value import JsonValue
from task_engine.model.wait import Decision, Verdict, Wait
from task_engine.services.ports import Executions

BY_OPERATORS = "operator"
_BY_PEOPLE = {"approve": Verdict.APPROVE, "reject": Verdict.REJECT}


class DecidedWaits(Protocol):
    """What deciding needs of the waits."""

    def of(self, execution_id: str) -> list[Wait]:
        """All waits of an execution, by ordinal."""

    def decide(self, wait: Wait, decision: Decision) -> Wait | None:
        """The wait with the decision; None when another one was first."""

    def deliver(self, wait: Wait) -> None:
        """Let the state machine go on; harmless when it has already."""


class SignalService:
    """Each wait is decided exactly once, and its walk goes on exactly once: the decision is a
    conditional write, and a delivery that was lost is repeated by the sweeper."""

    def __init__(self, waits: DecidedWaits, executions: Executions, clock: Clock) -> None:
        self._waits = waits
        self._executions = executions
        self._clock = clock

    def signal(
        self, caller: str, task_id: str, execution_id: str, decision: str, more: JsonValue = None
    ) -> Execution:
        """Decide the first open wait that `caller` may decide; `more` is the payload. The same
        decision of the same caller again, while nothing else waits, is delivered again: whoever
        lost the answer may repeat the call.

        Raises InvalidRequest for another word than approve and reject, NotFound for an execution
        that is unknown or none of the caller's business, Forbidden for an owner who is no approver,
        PreconditionFailed when nothing waits (any more).
        """
        verdict = _BY_PEOPLE.get(decision)
        if verdict is None:
            problem = Problem("SIGNAL_BAD_REQUEST", "decision", "must be approve or reject")
            raise InvalidRequest(problem.message, (problem,), code="SIGNAL_BAD_REQUEST")
        execution = self._executions.get(task_id.lower(), execution_id.lower())
        waits = self._waits.of(execution.id) if execution is not None else []
        own = [wait for wait in waits if wait.may_decide(caller)]
        if execution is None or (execution.owner != caller and not own):
            raise NotFound("no such execution", code="EXECUTION_NOT_FOUND")
        now = self._clock.now_ms()
        for wait in own:
            if wait.decision is None and now < wait.timeout_at:
                self._decide(wait, Decision(verdict, caller, now, more))
                return self._executions.get(execution.task_id, execution.id) or execution
        if self._repeated(own, caller, verdict, more):
            return execution
        if any(wait.decision is None and not wait.chain_id for wait in waits) and not own:
            raise Forbidden("only the node's approvers may decide", code="SIGNAL_FORBIDDEN")
        raise PreconditionFailed("nothing waits for a decision", code="SIGNAL_BAD_REQUEST")

    def _repeated(self, own: list[Wait], caller: str, verdict: Verdict, more: JsonValue) -> bool:
        """Whether the caller's last decision was this very one; it is delivered again then."""
        decided = [wait for wait in own if wait.decision is not None]
        if not decided or len(decided) < len(own):
            return False
        last = max(decided, key=lambda wait: wait.decision.at if wait.decision else 0)
        if not _same(last, Decision(verdict, caller, 0, more)):
            return False
        self._waits.deliver(last)
        return True

    def _decide(self, wait: Wait, decision: Decision) -> None:
        decided = self._stands(wait, decision)
        if decided is None:
            raise PreconditionFailed("it was decided already", code="SIGNAL_BAD_REQUEST")
        self._waits.deliver(decided)

    def _stands(self, wait: Wait, decision: Decision) -> Wait | None:
        """The wait with the decision; None when another one was first. Where it says so, the answer
        to the write may have been lost, and the write repeated: what stands there is looked at."""
        decided = self._waits.decide(wait, decision)
        if decided is not None:
            return decided
        return next(
            (
                other
                for other in self._waits.of(wait.execution_id)
                if other.node_id == wait.node_id and _same(other, decision)
            ),
            None,
        )

    def happened(self, owner: str, place: tuple[str, str], data: JsonValue) -> None:
        """The event has come that the wait at `place` (execution, node) is for. Decides once; when
        it was decided already it is delivered again, and too late it changes nothing."""
        execution_id, node_id = place
        now = self._clock.now_ms()
        decision = Decision(Verdict.APPROVE, BY_OPERATORS, now, data)
        for wait in self._waits.of(execution_id):
            if wait.node_id != node_id or wait.owner != owner or not wait.chain_id:
                continue
            stands: Wait | None = wait
            if wait.decision is None and now < wait.timeout_at:
                stands = self._stands(wait, decision)
            if stands is not None and stands.decision is not None:
                self._waits.deliver(stands)

    def time_out(self, execution_id: str, node_id: str) -> None:
        """End a wait whose time is over; one that was decided stays as it is, and is delivered
        again: the call that decided may have died before it could."""
        now = self._clock.now_ms()
        for wait in self._waits.of(execution_id):
            if wait.node_id != node_id:
                continue
            stands: Wait | None = wait
            if wait.decision is None and wait.timeout_at <= now:
                stands = self._stands(wait, Decision(Verdict.TIMEOUT, "", now))
            if stands is not None and stands.decision is not None:
                self._waits.deliver(stands)

    def redeliver(self, execution: Execution) -> None:
        """Tell the walk again of every decision, and end what should have ended."""
        now = self._clock.now_ms()
        for wait in self._waits.of(execution.id):
            if wait.decision is not None:
                self._waits.deliver(wait)
            elif wait.timeout_at <= now:
                self.time_out(execution.id, wait.node_id)


def _same(wait: Wait, decision: Decision) -> bool:
    """Whether the wait was decided so, by the same caller."""
    stands = wait.decision
    return (
        stands is not None
        and (stands.verdict, stands.by) == (decision.verdict, decision.by)
        and stands.payload == decision.payload
    )
