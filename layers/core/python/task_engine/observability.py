"""Logs as JSON lines and metrics in CloudWatch's embedded metric format; standard library only."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

NAMESPACE = "TaskEngine"
_MOST_CAUSES = 5
_CONTEXT_KEYS = frozenset(
    {"request_id", "execution_id", "task_id", "node_id", "owner", "chain_id", "attempt"}
)
_DETAIL_KEYS = frozenset({"code", "status", "method", "route", "duration_ms", "count", "walk"})
_context: ContextVar[dict[str, object] | None] = ContextVar("log_context", default=None)


class JsonFormatter(logging.Formatter):
    """One JSON object a line; of `extra` only the known names are written, never a payload."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service
        self._function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", service)

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; times are RFC 3339 in UTC with milliseconds."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "level": record.levelname,
            "message": record.getMessage(),
            "timestamp": f"{stamp}.{int(record.msecs):03d}Z",
            "service": self._service,
            "function": self._function,
            **(_context.get() or {}),
        }
        for name in _CONTEXT_KEYS | _DETAIL_KEYS:
            value = record.__dict__.get(name)
            if value is not None:
                line[name] = value
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, separators=(",", ":"))

    def formatException(self, ei: Any) -> str:  # noqa: N802, ANN401 - the standard library's name
        """Kinds and places of an exception and its causes, never their texts: those may quote what
        was worked on, a secret too."""
        told: list[str] = []
        error = ei[1]
        while error is not None and len(told) < _MOST_CAUSES:
            frames = traceback.extract_tb(error.__traceback__)
            places = " < ".join(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(frames))
            told.append(f"{type(error).__name__} in {places}")
            error = error.__cause__ or error.__context__
        return "; caused by ".join(told)


def configure_logging(service: str, level: int = logging.INFO) -> None:
    """Make the root logger write JSON lines to standard output, replacing the runtime's handler."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


@contextmanager
def log_context(**values: object) -> Iterator[None]:
    """Add `values` to every line logged inside; raises ValueError for a name that is no log key."""
    unknown = values.keys() - _CONTEXT_KEYS
    if unknown:
        raise ValueError(f"not a log key: {', '.join(sorted(unknown))}")
    token = _context.set({**(_context.get() or {}), **values})
    try:
        yield
    finally:
        _context.reset(token)


def add_log_context(**values: object) -> None:
    """Add `values` until the surrounding `log_context` ends (the owner, once it is known)."""
    _context.set({**(_context.get() or {}), **values})


def stage_metric(name: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
    """As `metric`, of this deployment: with its stage as a dimension."""
    metric(name, value, unit, stage=os.environ.get("TASK_ENGINE_STAGE", ""), **dimensions)


def metric(name: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
    """Write one metric to standard output.

    The format is CloudWatch's embedded metric format:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    document: dict[str, Any] = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [sorted(dimensions)],
                    "Metrics": [{"Name": name, "Unit": unit}],
                }
            ],
        },
        name: value,
        **dimensions,
    }
    sys.stdout.write(json.dumps(document, separators=(",", ":")) + "\n")
