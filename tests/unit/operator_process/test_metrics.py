"""What machines are told about an operator."""

from __future__ import annotations

import http.client
import json
from dataclasses import replace

import pytest
from task_engine.operator.findings import Kind
from task_engine.operator.progress import Figures

from task_engine_operator.config import ConfigError
from task_engine_operator.metrics import Report, metrics_text, problems_of
from task_engine_operator.web import MetricsServer

NOW = 1_767_225_600_000
WELL = Figures(
    chain_id=8453,
    checks=12,
    head=110,
    block=107,
    behind=3,
    caught_up_ms=NOW,
    passes=40,
    failures=2,
    notices=((Kind.BLOCK, 4), (Kind.EVENT, 9)),
    seconds=1.25,
)


def report(*figures: Figures, heard_ms: int = NOW) -> Report:
    return Report(figures, {8453: 2.0, 1: 12.0}, heard_ms, NOW)


def values(text: str) -> dict[str, str]:
    """Samples by name and labels, as the text format says."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: value for name, _, value in (line.rpartition(" ") for line in lines)}


def test_every_figure_stands_there_with_its_chain() -> None:
    found = values(metrics_text(report(WELL, replace(WELL, chain_id=1, notices=()))))
    prefix = "task_engine_operator_"
    assert found[f'{prefix}checks{{chain="8453"}}'] == "12"
    assert found[f'{prefix}blocks_behind{{chain="8453"}}'] == "3"
    assert found[f'{prefix}lag_seconds{{chain="8453"}}'] == "6"
    assert found[f'{prefix}lag_seconds{{chain="1"}}'] == "36"
    assert found[f'{prefix}pass_seconds_total{{chain="1"}}'] == "1.250"
    assert found[f'{prefix}notices_total{{chain="8453",kind="event"}}'] == "9"
    assert found[f'{prefix}notices_total{{chain="1",kind="event"}}'] == "0"
    assert found[f"{prefix}heartbeat_age_seconds"] == "0"


def test_every_figure_has_its_kind_and_its_help() -> None:
    lines = metrics_text(report(WELL)).splitlines()
    named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    helped = {line.split()[2] for line in lines if line.startswith("# HELP")}
    sampled = {line.split("{")[0].split()[0] for line in lines if not line.startswith("#")}
    assert named == helped == sampled


def test_it_is_well_while_the_chain_and_the_engine_are_near() -> None:
    assert problems_of(report(WELL)) == []


def test_what_is_wrong_is_told() -> None:
    late = replace(WELL, behind=500)
    failing = replace(WELL, error="RPC_NODE_ERROR", caught_up_ms=NOW - 600_000)
    assert problems_of(report(late)) == ["chain 8453 is watched 1000 s late"]
    assert problems_of(report(failing)) == ["chain 8453 is watched 600 s late RPC_NODE_ERROR"]
    assert "not heard" in problems_of(report(WELL, heard_ms=0))[0]
    assert "not heard" in problems_of(report(WELL, heard_ms=NOW - 130_000))[0]
    assert problems_of(replace(report(WELL), stopping=True)) == ["stopping"]


def ask(port: int, path: str) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type") or "", answer.read().decode()


def test_the_pages_are_served() -> None:
    # Given a server whose report changes
    shown = [report(WELL)]
    server = MetricsServer("127.0.0.1", 0, lambda: shown[0])
    try:
        status, kind, text = ask(server.port, "/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert values(text)['task_engine_operator_block{chain="8453"}'] == "107"
        assert ask(server.port, "/healthz")[0] == 200
        # When a chain is late, and an unknown page is asked for
        shown[0] = report(replace(WELL, behind=500))
        status, _, text = ask(server.port, "/healthz")
        # Then
        assert status == 503
        assert json.loads(text)["problems"] == ["chain 8453 is watched 1000 s late"]
        assert ask(server.port, "/")[0] == 404
    finally:
        server.close()


def test_a_port_that_is_taken_is_a_problem_of_the_settings() -> None:
    server = MetricsServer("127.0.0.1", 0, lambda: report(WELL))
    try:
        with pytest.raises(ConfigError, match=str(server.port)):
            MetricsServer("127.0.0.1", server.port, lambda: report(WELL))
    finally:
        server.close()
