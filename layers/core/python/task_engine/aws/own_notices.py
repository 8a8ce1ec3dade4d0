"""The own operator's notices: signed, and straight to the engine's queue."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from task_engine.observability import metric
from task_engine.operator.findings import Finding
from task_engine.operator.notices import NoticeWriter
from task_engine.services.operators import NoticeQueue, QueuedNotice

log = logging.getLogger(__name__)

_SIGNERS = 4


class SqsNotifier:
    """Implements Notifier. A notice that no message can hold is left out with an error: it would
    hold up all that come after it for ever."""

    def __init__(self, queue: NoticeQueue, writer: NoticeWriter) -> None:
        self._queue = queue
        self._writer = writer

    def send(self, findings: Sequence[Finding]) -> None:
        """As Notifier says; raises Unavailable."""
        notices = [notice for notice in self._signed(findings) if notice is not None]
        if notices:
            self._queue.send(notices)

    def _signed(self, findings: Sequence[Finding]) -> list[QueuedNotice | None]:
        if len(findings) == 1:
            return [self._notice(findings[0])]
        # Each signature is a round trip to the key service.
        with ThreadPoolExecutor(_SIGNERS) as pool:
            return list(pool.map(self._notice, findings))

    def _notice(self, finding: Finding) -> QueuedNotice | None:
        body = self._writer.message(finding)
        if body is not None:
            return QueuedNotice(body, finding.owner)
        metric("NoticeTooLarge")
        log.error("a notice is too large to be sent", extra={"owner": finding.owner})
        return None
