"""Executions and their steps."""

from __future__ import annotations

from dataclasses import dataclass, field

from task_engine_client.document import Document, Json, flag, mapping, objects, text, texts, whole

FINAL_STATUSES = frozenset({"success", "failed", "error"})
"""Statuses after which an execution does not change any more."""


@dataclass(frozen=True, slots=True)
class Step:
    """One ended step; the trigger is the first. Times in ms since the epoch."""

    id: str
    type: str
    name: str
    success: bool
    error: str
    error_code: str
    log: str
    start_at: int | None
    end_at: int | None
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Step:
        """The step of a document."""
        return cls(
            id=text(document, "id"),
            type=text(document, "type"),
            name=text(document, "name"),
            success=flag(document, "success"),
            error=text(document, "error"),
            error_code=text(document, "errorCode"),
            log=text(document, "log"),
            start_at=whole(document, "startAt"),
            end_at=whole(document, "endAt"),
            raw=document,
        )

    @property
    def data(self) -> Json:
        """What later nodes read as `<name>.data`; None when the step has no output."""
        return mapping(self.raw, "output").get("data")


@dataclass(frozen=True, slots=True)
class Execution:
    """A run of a workflow; `steps` is empty in lists and until the first step ended."""

    id: str
    workflow_id: str
    status: str
    index: int | None
    error: str
    start_at: int | None
    end_at: int | None
    steps: tuple[Step, ...]
    skipped: tuple[str, ...]
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Execution:
        """The execution of a document."""
        return cls(
            id=text(document, "id"),
            workflow_id=text(document, "workflowId"),
            status=text(document, "status"),
            index=whole(document, "index"),
            error=text(document, "error"),
            start_at=whole(document, "startAt"),
            end_at=whole(document, "endAt"),
            steps=tuple(Step.of(step) for step in objects(document, "steps")),
            skipped=texts(document, "skipped"),
            raw=document,
        )

    @property
    def final(self) -> bool:
        """Whether it has ended."""
        return self.status in FINAL_STATUSES

    @property
    def succeeded(self) -> bool:
        """Whether it has ended and every step held."""
        return self.status == "success"


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """What a trigger, a status request and a stream tell of an execution."""

    id: str
    workflow_id: str
    status: str
    error: str
    start_at: int | None
    end_at: int | None
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> ExecutionSummary:
        """The summary of a document; a trigger's answer has its id as `executionId`."""
        return cls(
            id=text(document, "executionId") or text(document, "id"),
            workflow_id=text(document, "workflowId"),
            status=text(document, "status"),
            error=text(document, "error"),
            start_at=whole(document, "startAt"),
            end_at=whole(document, "endAt"),
            raw=document,
        )

    @property
    def final(self) -> bool:
        """Whether the execution has ended."""
        return self.status in FINAL_STATUSES


@dataclass(frozen=True, slots=True)
class ExecutionStats:
    """Counts of the last seven days; the average is in ms."""

    total: int
    succeeded: int
    failed: int
    pending: int
    average_ms: float
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> ExecutionStats:
        """The stats of a document."""
        average = document.get("avgExecutionTime")
        return cls(
            total=whole(document, "total") or 0,
            succeeded=whole(document, "succeeded") or 0,
            failed=whole(document, "failed") or 0,
            pending=whole(document, "pending") or 0,
            average_ms=float(average) if isinstance(average, (int, float)) else 0.0,
            raw=document,
        )
