"""One error tree: every failure the engine can tell a user about, with a stable code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what a user sent: a stable code, the place (JSON path), what to do."""

    code: str
    path: str
    message: str


class EngineError(Exception):
    """Base of all errors whose message is fit for the user.

    `code` is stable and for programs; `http_status` is what the API answers; `retryable` says
    whether the same call may succeed later without being changed.
    """

    code: ClassVar[str] = "EXECUTION_ENGINE_ERROR"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self._code = code

    @property
    def stable_code(self) -> str:
        """The instance's code when one was given, else its class's."""
        return self._code or self.code


class InvalidRequest(EngineError):
    """The request can't be accepted as it is; `problems` names everything wrong with it."""

    code = "INVALID_REQUEST"
    http_status = 400

    def __init__(
        self, message: str, problems: tuple[Problem, ...] = (), *, code: str | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.problems = problems


class PreconditionFailed(InvalidRequest):
    """Well-formed, but the object is not in a state that allows it (paused, expired, exhausted)."""


class Unauthenticated(EngineError):
    """No token, or one that does not verify."""

    code = "AUTH_REQUIRED"
    http_status = 401


class Forbidden(EngineError):
    """Authenticated, but not allowed."""

    code = "FORBIDDEN"
    http_status = 403


class NotFound(EngineError):
    """Unknown, or somebody else's: the two are never told apart."""

    code = "NOT_FOUND"
    http_status = 404


class Conflict(EngineError):
    """The object's state forbids it, or another writer was first."""

    code = "CONFLICT"
    http_status = 409


class QuotaExceeded(EngineError):
    """A quota or rate limit of the stage is used up."""

    code = "QUOTA_EXCEEDED"
    http_status = 429


class NotImplementedHere(EngineError):
    """Part of the contract that this deployment does not offer."""

    code = "NOT_IMPLEMENTED"
    http_status = 501


class Unavailable(EngineError):
    """A service we depend on failed in a way that may pass (throttling, timeout, 5xx)."""

    code = "STORAGE_UNAVAILABLE"
    http_status = 503
    retryable = True


class ConfigurationError(EngineError):
    """The deployment's settings are missing or wrong; nobody but its owner can mend it."""

    code = "CONFIGURATION_ERROR"


class ConditionFailed(EngineError):
    """A conditional write lost against another writer; `item` is what stands there, if known."""

    code = "CONDITION_FAILED"
    http_status = 409

    def __init__(self, message: str, item: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.item = item


class Corrupted(EngineError):
    """What is stored can't be used, however often that is tried."""

    code = "TASK_DATA_CORRUPTED"


class NodeError(EngineError):
    """A node could not do its work; becomes the step's error.

    Raised inside processors only, always caught at the node boundary. `code` is one of the error
    code words of the contract (INVALID_NODE_CONFIG, MISSING_REQUIRED_FIELD, ...).
    """

    code = "INVALID_REQUEST"
    http_status = 400

    def __init__(self, message: str, *, code: str | None = None, retryable: bool = False) -> None:
        super().__init__(message, code=code)
        self.may_retry = retryable
