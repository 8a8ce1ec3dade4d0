"""Events on chain that executions wait for."""

from __future__ import annotations

from typing import Protocol

from task_engine.clock import Clock
from task_engine.model.wait import Decision, Verdict, Wait
from task_engine.operator.checks import Check, wait_of
from task_engine.operator.findings import Finding, Kind
from task_engine.services.notice_match import mismatch
from task_engine.services.notice_refusals import NoticeRefused
from task_engine.services.signals import DecidedWaits

BY_OPERATORS = "operator"


class OneCheck(Protocol):
    """Checks one by one."""

    def find(self, chain_id: int, check_id: str) -> Check | None:
        """None when it is watched for no longer."""


class WaitEvents:
    """Implements WaitWaker: the first event that fits decides, and its data is the payload."""

    def __init__(self, checks: OneCheck, waits: DecidedWaits, clock: Clock) -> None:
        self._checks = checks
        self._waits = waits
        self._clock = clock

    def wake(self, finding: Finding, operator: str) -> None:  # noqa: ARG002 - as the port has it
        """Decided once; the walk is told again when the message comes again."""
        check = self._checks.find(finding.occurrence.chain_id, finding.check_id)
        if check is None:
            raise NoticeRefused("NOTICE_WAIT_OVER", "nothing waits for this any more")
        problem = mismatch(check, finding)
        if problem:
            raise NoticeRefused("NOTICE_MISMATCH", f"it {problem}", blamed=True)
        if finding.version != check.version:
            raise NoticeRefused("NOTICE_OLD_VERSION", "the check has changed since")
        if finding.kind is not Kind.EVENT:
            raise NoticeRefused("NOTICE_OF_WAIT", "a wait can't be taken back or paused")
        now = self._clock.now_ms()
        decision = Decision(Verdict.APPROVE, BY_OPERATORS, now, dict(finding.output))
        for wait in self._of(finding):
            decided = wait if wait.decision is not None else None
            if decided is None and now < wait.timeout_at:
                decided = self._waits.decide(wait, decision)
            if decided is not None:
                self._waits.deliver(decided)

    def _of(self, finding: Finding) -> list[Wait]:
        execution_id, node_id = wait_of(finding.check_id) or ("", "")
        waits = self._waits.of(execution_id)
        return [wait for wait in waits if wait.node_id == node_id and wait.owner == finding.owner]
