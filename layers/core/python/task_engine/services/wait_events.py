"""Events on chain that executions wait for."""

from __future__ import annotations

from typing import Protocol

from task_engine.operator.checks import Check, wait_of
from task_engine.operator.findings import Finding, Kind
from task_engine.services.notice_match import mismatch
from task_engine.services.notice_refusals import NoticeRefused
from task_engine.services.signals import SignalService


class OneCheck(Protocol):
    """Checks one by one."""

    def find(self, chain_id: int, check_id: str) -> Check | None:
        """None when it is watched for no longer."""


class WaitEvents:
    """Implements WaitWaker: the first event that fits decides, and its data is the payload."""

    def __init__(self, checks: OneCheck, signals: SignalService) -> None:
        self._checks = checks
        self._signals = signals

    def wake(self, finding: Finding) -> None:
        """End the wait that the finding's check is of; raises NoticeRefused."""
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
        place = wait_of(finding.check_id) or ("", "")
        self._signals.happened(finding.owner, place, dict(finding.output))
