"""What calls of the client can raise."""

from __future__ import annotations

from dataclasses import dataclass


class TaskEngineError(Exception):
    """Base of everything that this package raises on purpose."""


class Unreachable(TaskEngineError):
    """No answer came, or one that is not of this API; the cause says why."""


class WaitTimeout(TaskEngineError):
    """An execution did not end in the time given; it goes on."""


class SignInUnavailable(TaskEngineError):
    """Signing needs the extra `sign-in`, or the key can't be read."""


@dataclass(frozen=True, slots=True)
class ProblemEntry:
    """One thing wrong with a request: stable code, JSON path of the place, what is wrong."""

    code: str
    path: str
    message: str


class ApiError(TaskEngineError):
    """The API refused a request by a problem document (RFC 9457).

    `status` is the HTTP status, `code` the stable word for programs, `errors` everything that is
    wrong with the request when the API lists it, `request_id` names the request in the logs.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: tuple[ProblemEntry, ...] = (),
        request_id: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.request_id = request_id
