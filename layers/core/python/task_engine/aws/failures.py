"""The one place that turns what AWS answers into our errors."""

from __future__ import annotations

from typing import Any

from task_engine.errors import ConditionFailed, EngineError, Unavailable

# Worth the same call again: throttling, capacity, and faults on AWS's side.
_THROTTLED = frozenset(
    {
        "InternalServerError",
        "InternalFailure",
        "KMSInternalException",
        "DependencyTimeoutException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "RequestTimeoutException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


class TimedOut(Unavailable):
    """No answer within the time that the call was given: it may have happened all the same."""


class AwsError(EngineError):
    """AWS refused a call for a reason that repeating it does not change; `name` is AWS's code."""

    code = "STORAGE_WRITE_ERROR"

    def __init__(self, operation: str, name: str, document: dict[str, Any]) -> None:
        super().__init__(f"{operation} was refused: {name}")
        self.name = name
        self.document = document


class TransactionCanceled(AwsError):
    """A transaction's condition failed or it conflicted; `reasons` has a code per item."""

    @property
    def reasons(self) -> list[str]:
        """`None`, `ConditionalCheckFailed`, `TransactionConflict`, … in the order of the items."""
        given = self.document.get("CancellationReasons") or []
        return [str(reason.get("Code", "None")) for reason in given]

    def item(self, place: int) -> dict[str, Any] | None:
        """What stands at the item whose condition failed, when it was asked for."""
        given = self.document.get("CancellationReasons") or []
        found: dict[str, Any] | None = given[place].get("Item") if place < len(given) else None
        return found


def should_repeat(status: int, name: str) -> bool:
    """Whether the same call may succeed in a moment."""
    return status >= 500 or status == 429 or name in _THROTTLED


def failure_of(operation: str, status: int, name: str, document: dict[str, Any]) -> EngineError:
    """The error for a call that is not repeated (any more)."""
    if name == "ConditionalCheckFailedException":
        return ConditionFailed(f"{operation}: the condition failed", document.get("Item"))
    if name == "TransactionCanceledException":
        return TransactionCanceled(operation, name, document)
    if should_repeat(status, name):
        return Unavailable(f"{operation} is not available now: {name or status}")
    return AwsError(operation, name or str(status), document)
