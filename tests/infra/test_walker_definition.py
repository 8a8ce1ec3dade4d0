"""The state machines: one definition, held to the rules of the States Language that emulators let
pass (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra_cdk.constructs.walker import definition
from infra_cdk.stage import STAGE_NAMES
from tests.infra.conftest import StageTemplates

State = dict[str, Any]
_FIELDS = {
    "Task": {"Resource", "Arguments", "Output", "Assign", "TimeoutSeconds", "Retry", "Catch"},
    "Choice": {"Choices", "Default", "Assign", "Output"},
    "Pass": {"Output", "Assign"},
    "Wait": {"Seconds", "Output", "Assign"},
    "Map": {"Items", "ItemSelector", "ItemProcessor", "MaxConcurrency", "Output", "Assign"}
    | {"Retry", "Catch"},
    "Succeed": {"Output"},
    "Fail": {"Error", "Cause"},
}
_ALWAYS = {"Type", "Comment", "Next", "End"}
_LAMBDA_FAULTS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
}


def _problems(machine: State, path: str = "") -> Iterator[str]:
    """Everything that is wrong with a machine and the machines inside it."""
    states: dict[str, State] = machine["States"]
    if machine["StartAt"] not in states:
        yield f"{path} starts at {machine['StartAt']}, which is no state"
    for name, state in states.items():
        yield from _state_problems(f"{path}/{name}", state, states)
        if "ItemProcessor" in state:
            yield from _problems(state["ItemProcessor"], f"{path}/{name}")
    for name in states.keys() - _reachable(machine["StartAt"], states):
        yield f"{path}/{name} is never reached"
    if not any(_ends(states[name]) for name in _reachable(machine["StartAt"], states)):
        yield f"{path} never ends"


def _state_problems(path: str, state: State, states: dict[str, State]) -> Iterator[str]:
    kind = state["Type"]
    if kind not in _FIELDS:
        yield f"{path} has an unknown type {kind}"
        return
    for field in state.keys() - _FIELDS[kind] - _ALWAYS:
        yield f"{path} has {field}, which a {kind} has not"
    for target in _targets(state):
        if target not in states:
            yield f"{path} goes to {target}, which is no state"
    goes_on = "Next" in state or state.get("End") is True
    if kind not in ("Choice", "Succeed", "Fail") and not goes_on:
        yield f"{path} neither goes on nor ends"
    if "Next" in state and "End" in state:
        yield f"{path} both goes on and ends"
    if kind == "Choice" and "Default" not in state:
        yield f"{path} has no default"
    if kind == "Task":
        yield from _task_problems(path, state)


def _task_problems(path: str, state: State) -> Iterator[str]:
    if type(state.get("TimeoutSeconds")) is not int:
        yield f"{path} has no whole number of seconds as its time limit"
    retried = {name for retrier in state.get("Retry", []) for name in retrier["ErrorEquals"]}
    if "States.ALL" not in retried and not retried >= _LAMBDA_FAULTS:
        yield f"{path} does not retry Lambda's own faults"
    for handler in (*state.get("Retry", []), *state.get("Catch", [])):
        if "States.ALL" in handler["ErrorEquals"] and len(handler["ErrorEquals"]) > 1:
            yield f"{path}: States.ALL must stand alone"


def _targets(state: State) -> Iterator[str]:
    if "Next" in state:
        yield state["Next"]
    if "Default" in state:
        yield state["Default"]
    for choice in (*state.get("Choices", []), *state.get("Catch", [])):
        yield choice["Next"]


def _reachable(start: str, states: dict[str, State]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in states and name not in seen:
            seen.add(name)
            waiting.extend(_targets(states[name]))
    return seen


def _ends(state: State) -> bool:
    return state.get("End") is True or state["Type"] in ("Succeed", "Fail")


def _machine() -> State:
    machine: State = json.loads(definition(map_concurrency=4))
    return machine


def _tasks(machine: State) -> Iterator[tuple[str, State]]:
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name, state
        if "ItemProcessor" in state:
            yield from _tasks(state["ItemProcessor"])


def test_the_definition_follows_the_states_language() -> None:
    assert list(_problems(_machine())) == []


@pytest.mark.parametrize(
    ("state", "change", "problem"),
    [
        ("Begin", {"Next": "Nowhere"}, "goes to Nowhere"),
        ("Begin", {"Type": "Pause"}, "unknown type Pause"),
        ("Begin", {"Next": None}, "neither goes on nor ends"),
        ("Begin", {"End": True}, "both goes on and ends"),
        ("Finish", {"TimeoutSeconds": "60"}, "no whole number of seconds"),
        ("Finish", {"Retry": []}, "does not retry"),
        ("Finish", {"InputPath": "$"}, "has InputPath"),
        ("Finish", {"End": None, "Next": "Begin"}, "never ends"),
        ("NextStage", {"Default": None}, "has no default"),
        ("NextStage", {"Default": "Finish"}, "/Lanes"),
    ],
)
def test_the_check_finds_what_emulators_let_pass(
    state: str, change: dict[str, object], problem: str
) -> None:
    # Given a definition with one mistake
    machine = _machine()
    changed = {**machine["States"][state], **change}
    machine["States"][state] = {k: v for k, v in changed.items() if v is not None}
    # When it is checked, then the mistake is named; unreached states need both ways closed
    if problem == "/Lanes":
        machine["States"]["AfterFan"]["Default"] = "Finish"
    assert any(problem in found for found in _problems(machine))


def test_a_node_that_fails_is_recorded_and_the_walk_goes_on() -> None:
    caught = {
        name: handler["Next"]
        for name, state in _tasks(_machine())
        for handler in state.get("Catch", [])
        if handler["ErrorEquals"] == ["States.ALL"]
    }
    assert caught == {
        "RunFanNode": "FailFanStep",
        "RunNode": "FailStep",
        "AwaitDecision": "FailStep",
    }


def test_the_language_is_jsonata_and_maps_are_inline() -> None:
    text = definition(map_concurrency=4)
    assert _machine()["QueryLanguage"] == "JSONata"
    assert re.findall(r'"Mode": "(\w+)"', text) == ["INLINE"] * text.count('"Type": "Map"')


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_both_machines_are_made_of_the_one_file(templates: StageTemplates, stage: str) -> None:
    # Given the two machines of a stage
    built = templates(stage)
    machines = built.resources("AWS::StepFunctions::StateMachine").values()
    kinds = sorted(machine["Properties"]["StateMachineType"] for machine in machines)
    assert kinds == ["EXPRESS", "STANDARD"]
    # Then each has the file's text, and every placeholder in it is filled in
    concurrency = {"local": 4, "localstack": 4, "dev": 20, "prod": 40}[stage]
    for machine in machines:
        properties = machine["Properties"]
        waits = properties["StateMachineType"] == "STANDARD"
        text = properties["DefinitionString"]
        assert text == definition(concurrency, waits=waits)
        placeholders = set(re.findall(r"\$\{(\w+)\}", text))
        assert properties["DefinitionSubstitutions"].keys() == placeholders


def test_only_the_standard_machine_waits_and_they_differ_in_nothing_else() -> None:
    waiting = json.loads(definition(4))
    brief = json.loads(definition(4, waits=False))
    assert "waitForTaskToken" not in json.dumps(brief)
    for kind in ("await", "contractWrite", "ethTransfer", "chainLoop"):
        del waiting["States"]["Begin"]["Assign"]["functions"][kind]
    lane = waiting["States"]["Lanes"]["ItemProcessor"]["States"]
    del lane["AwaitDecision"]
    choices = lane["AfterNode"]["Choices"]
    lane["AfterNode"]["Choices"] = [c for c in choices if c["Next"] != "AwaitDecision"]
    assert brief == waiting


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_walks_are_traced_and_logged_without_data(templates: StageTemplates, stage: str) -> None:
    for machine in templates(stage).resources("AWS::StepFunctions::StateMachine").values():
        properties = machine["Properties"]
        assert properties["TracingConfiguration"] == {"Enabled": True}
        logging = properties["LoggingConfiguration"]
        assert logging["Level"] == "ALL"
        assert logging["IncludeExecutionData"] is False


def test_a_node_has_more_time_in_the_walk_than_in_its_function(templates: StageTemplates) -> None:
    functions = templates("dev").functions()
    slowest = max(
        function["Properties"]["Timeout"]
        for name, function in functions.items()
        if name.startswith("node_")
    )
    for name, task in _tasks(_machine()):
        if name.startswith("Run"):
            assert task["TimeoutSeconds"] > slowest
