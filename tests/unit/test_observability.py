"""Log lines and metrics."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from task_engine.observability import (
    JsonFormatter,
    add_log_context,
    log_context,
    metric,
)


def _line(**extra: object) -> dict[str, Any]:
    record = logging.LogRecord("n", logging.INFO, "p", 1, "did %s", ("it",), None)
    record.__dict__.update(extra)
    document: dict[str, Any] = json.loads(JsonFormatter("api_auth").format(record))
    return document


def test_a_line_has_its_keys_and_what_is_bound() -> None:
    # Given bound names, some added later
    with log_context(request_id="r1"):
        add_log_context(owner="0xabc")
        line = _line(task_id="t1")
    # Then all of them stand in the line, and in no line after
    assert line["level"] == "INFO"
    assert line["message"] == "did it"
    assert line["service"] == "api_auth"
    assert line["timestamp"].endswith("Z")
    assert (line["request_id"], line["owner"], line["task_id"]) == ("r1", "0xabc", "t1")
    assert _line().keys() == {"level", "message", "timestamp", "service", "function"}


def test_other_extras_are_not_written() -> None:
    assert "body" not in _line(body={"password": "hunter2"})


def test_only_log_keys_can_be_bound() -> None:
    with pytest.raises(ValueError, match="body"), log_context(body="x"):
        pass


def test_a_metric_is_one_line_of_the_embedded_format(capsys: pytest.CaptureFixture[str]) -> None:
    metric("Failures", 2, code="X")
    document = json.loads(capsys.readouterr().out)
    assert document["Failures"] == 2
    assert document["code"] == "X"
    assert document["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "TaskEngine",
            "Dimensions": [["code"]],
            "Metrics": [{"Name": "Failures", "Unit": "Count"}],
        }
    ]
