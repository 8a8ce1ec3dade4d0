"""The own operator's notices: signed, and straight to the engine's queue."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from task_engine.observability import metric
from task_engine.operator.findings import Finding
from task_engine.operator.notices import NoticeWriter
from task_engine.services.operators import NoticeQueue, QueuedNotice

log = logging.getLogger(__name__)

_MOST_BYTES = 250_000
_SIGNERS = 4


class SqsNotifier:
    """Implements Notifier. A notice that no message can hold is left out with an error: it would
    hold up all that come after it for ever."""

    def __init__(self, queue: NoticeQueue, writer: NoticeWriter) -> None:
        self._queue = queue
        self._writer = writer

    def send(self, findings: Sequence[Finding]) -> None:
        """As Notifier says; raises Unavailable."""
        notices = [notice for notice in self._signed(findings) if _fits(notice)]
        if notices:
            self._queue.send(notices)

    def _signed(self, findings: Sequence[Finding]) -> list[QueuedNotice]:
        if len(findings) == 1:
            return [self._notice(findings[0])]
        # Each signature is a round trip to the key service.
        with ThreadPoolExecutor(_SIGNERS) as pool:
            return list(pool.map(self._notice, findings))

    def _notice(self, finding: Finding) -> QueuedNotice:
        document = self._writer.write(finding)
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return QueuedNotice(text, finding.owner)


def _fits(notice: QueuedNotice) -> bool:
    if len(notice.body.encode()) <= _MOST_BYTES:
        return True
    metric("NoticeTooLarge")
    log.error("a notice is too large to be sent", extra={"owner": notice.owner})
    return False
