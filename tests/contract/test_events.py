"""The payloads under events/ are what the deployed pieces send to one another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from task_engine.errors import InvalidRequest
from task_engine.run.node_runner import parse_call, parse_run

from infra_cdk.constructs.http_api import ROUTES

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
DEFINITION = ROOT / "infra_cdk" / "state_machine" / "walk_plan.asl.json"
FUNCTIONS = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
TRIGGERS = ("schedule_cron", "schedule_fixed_time", "wait_timeout", "notices")
WALKER = {
    "fail_step": "walker/fail_step",
    "operator": "operator/turn",
    "finish_execution": "walker/finish_execution",
    "start_execution": "walker/start_execution",
    "sweeper": "walker/sweep",
    "trigger": "trigger/notices",
}
"""Functions that are no API and no node, with one of their payloads."""


def payload(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def node_payloads() -> dict[str, Any]:
    return {path.stem: payload(f"node/{path.stem}") for path in (EVENTS / "node").glob("*.json")}


def sent() -> Iterator[tuple[str, dict[str, str]]]:
    """(function or "node", payload) of each place where the state machine invokes a function."""
    text = DEFINITION.read_text(encoding="utf-8").replace("${MaxConcurrency}", "4")
    places = [json.loads(text)]
    while places:
        place = places.pop()
        if isinstance(place, dict) and "Payload" in place:
            name = place["FunctionName"]
            yield ("node" if "$functions" in name else name), place["Payload"]
        elif isinstance(place, dict):
            places += place.values()
        elif isinstance(place, list):
            places += place


def serving(event: Any) -> str:
    """The function that the gateway gives an API event to."""
    path = event["path"].partition("/api/v1/")[2]
    # A path part is either literal or, below a resource, anything.
    known = {route.partition("/")[0]: name for name, routes in ROUTES.items() for route in routes}
    return known[path.partition("/")[0]]


def test_every_function_has_a_payload() -> None:
    apis = {serving(payload(f"api/{path.stem}")) for path in (EVENTS / "api").glob("*.json")}
    nodes = {f"node_{stem}" for stem in node_payloads() if stem != "loop_chunk"}
    assert nodes | apis | WALKER.keys() == FUNCTIONS
    assert all((EVENTS / f"{name}.json").exists() for name in WALKER.values())


@pytest.mark.parametrize("name", sorted(node_payloads()))
def test_a_nodes_payload_is_one_that_the_state_machine_sends(name: str) -> None:
    event = node_payloads()[name]
    assert event.keys() in [document.keys() for function, document in sent() if function == "node"]
    call = parse_call(event)
    assert call.node_id == event["nodeId"]
    assert call.run == parse_run(event["run"])
    assert (call.chunk is not None) == (name == "loop_chunk")


def test_all_that_the_state_machine_sends_is_understood_by_who_gets_it() -> None:
    run = payload("node/rest_api")["run"]
    values = {"run": run, "nodeId": "fetch", "chunk": 1, "tries": 0, "token": "AQ", "error": {}}
    places = list(sent())
    assert len(places) >= 6
    for function, document in places:
        if function == "${FinishExecution}":
            assert document.keys() == payload("walker/finish_execution").keys()
            continue
        if function == "${FailStep}":
            assert document.keys() == payload("walker/fail_step").keys()
        assert parse_call({key: values[key] for key in document}).node_id == "fetch"


def test_the_state_machines_run_has_the_fields_of_every_payloads_run() -> None:
    text = DEFINITION.read_text(encoding="utf-8").replace("${MaxConcurrency}", "4")
    fields = json.loads(text)["States"]["Begin"]["Assign"]["run"].keys()
    runs = [event["run"] for event in node_payloads().values()]
    runs += [payload(f"walker/{name}")["run"] for name in ("fail_step", "finish_execution")]
    assert [run for run in runs if run.keys() != fields] == []
    for field in fields:
        with pytest.raises(InvalidRequest):
            parse_run({key: value for key, value in runs[0].items() if key != field})


def test_a_status_change_names_the_run_in_its_input() -> None:
    detail = payload("walker/status_change")["detail"]
    run = parse_run({**json.loads(detail["input"]), "walk": detail["executionArn"]})
    assert run.execution_id == detail["name"]


def test_queued_executions_are_named_as_the_queue_names_them() -> None:
    [record] = payload("walker/start_execution")["Records"]
    assert json.loads(record["body"]).keys() == {"executionId", "taskId", "owner"}


@pytest.mark.parametrize("name", TRIGGERS)
def test_the_triggers_payloads_say_what_they_are(name: str) -> None:
    event = payload(f"trigger/{name}")
    if name == "notices":
        bodies = [record["body"] for record in event["Records"]]
        kinds = {json.loads(body)["type"] for body in bodies if body.startswith("{")}
        assert kinds == {payload(f"operator/notice_{kind}")["type"] for kind in ("block", "event")}
    else:
        assert event["kind"] == ("wait" if name == "wait_timeout" else "schedule")
        assert {"taskId", "owner"} <= event.keys()
