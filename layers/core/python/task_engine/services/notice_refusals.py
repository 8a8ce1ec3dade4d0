"""Why a notice is answered with nothing."""

from __future__ import annotations

from task_engine.errors import InvalidRequest


class NoticeRefused(InvalidRequest):
    """A notice that nothing is done about. `blamed`: it should never have been sent, and counts
    against its operator; otherwise it came too late, or not alone."""

    def __init__(self, code: str, message: str, *, blamed: bool = False) -> None:
        super().__init__(message, code=code)
        self.blamed = blamed
