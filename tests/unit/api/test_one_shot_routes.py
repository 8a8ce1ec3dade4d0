"""Nodes, triggers, simulations and estimates: run at once, nothing stored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.world import CHAIN, OTHER, OWNER, World


def code(source: str, **more: Any) -> dict[str, Any]:
    config = {"lang": "javascript", "source": source}
    return {"node": {"id": "n", "name": "n", "type": "customCode", "config": config}, **more}


def workflow(*nodes: dict[str, Any], trigger: Any = None, **more: Any) -> dict[str, Any]:
    manual = {"type": "manual", "config": {"lang": "json", "data": {"n": 2}}}
    return {
        "trigger": {"id": "t", "name": "start", **(trigger or manual)},
        "nodes": list(nodes),
        "inputVariables": {"settings": {"runner": "0x" + "1" * 40}},
        **more,
    }


def node(name: str, source: str) -> dict[str, Any]:
    return {**code(source)["node"], "id": name, "name": name}


def test_a_node_runs_with_the_variables_it_is_given(world: World) -> None:
    body = code("return up.data.x + 1", inputVariables={"up": {"data": {"x": 1}}})
    answer = world.call("POST", "/nodes:run", body)
    assert answer.status == 200
    assert answer.json["success"] is True
    assert answer.json["output"] == {"data": 2}
    assert answer.json["executionContext"]["is_simulated"] is False


def test_undefined_is_null_and_an_empty_source_fails_softly(world: World) -> None:
    assert world.call("POST", "/nodes:run", code("")).json["errorCode"] == "MISSING_REQUIRED_FIELD"
    answer = world.call("POST", "/nodes:run", code("let a = 1"))
    assert answer.json["output"] == {"data": None}


@pytest.mark.parametrize("kind", ["contractRead", "contractWrite", "ethTransfer", "balance"])
def test_chain_nodes_say_that_they_are_not_there_yet(world: World, kind: str) -> None:
    answer = world.call("POST", "/nodes:run", {"node": {"type": kind, "config": {}}})
    assert (answer.status, answer.json["success"]) == (200, False)
    assert answer.json["errorCode"] == "NOT_IMPLEMENTED"
    assert "not available in this deployment yet" in answer.json["error"]
    assert answer.json["output"] == {}


def test_await_nodes_are_unsupported(world: World) -> None:
    answer = world.call("POST", "/nodes:run", {"node": {"type": "await", "config": {}}})
    assert (answer.status, answer.json["success"]) == (200, False)
    assert "unsupported" in answer.json["error"]


@pytest.mark.parametrize(
    "body", [{}, {"node": {}}, {"node": {"type": "none"}}, {"node": 1}, {"node": {"type": []}}]
)
def test_what_is_no_node_is_refused(world: World, body: Any) -> None:
    assert world.call("POST", "/nodes:run", body).status == 400


def test_secrets_are_the_callers_and_masked(world: World) -> None:
    world.own_secrets.of[OWNER, "KEY"] = "s3cret-value"
    body = code("return apContext.configVars.KEY.length + ':' + apContext.configVars.KEY")
    answer = world.call("POST", "/nodes:run", body)
    assert answer.json["success"] is True
    assert answer.json["output"]["data"].startswith("12:")
    assert "s3cret-value" not in answer.text
    assert world.call("POST", "/nodes:run", body, owner=OTHER).json["success"] is False


def test_the_same_key_gives_the_first_answer_to_the_same_caller_only(world: World) -> None:
    headers = {"Idempotency-Key": "k"}
    first = world.call("POST", "/nodes:run", code("return 1"), headers=headers)
    assert world.call("POST", "/nodes:run", code("return 2"), headers=headers).json == first.json
    other = world.call("POST", "/nodes:run", code("return 2"), headers=headers, owner=OTHER)
    assert other.json["output"] == {"data": 2}
    world.clock.ms += 16 * 60 * 1000
    later = world.call("POST", "/nodes:run", code("return 3"), headers=headers)
    assert later.json["output"] == {"data": 3}


def test_a_failed_call_is_not_remembered(world: World) -> None:
    headers = {"Idempotency-Key": "k"}
    failed = world.call("POST", "/nodes:run", code("throw new Error('no')"), headers=headers)
    assert failed.json["success"] is False
    again = world.call("POST", "/nodes:run", code("return 2"), headers=headers)
    assert again.json["output"] == {"data": 2}
    bad = world.call("POST", "/nodes:run", code("return 2"), headers={"Idempotency-Key": "a b"})
    assert bad.status == 400


def trigger(kind: str, **config: Any) -> dict[str, Any]:
    return {"trigger": {"id": "t", "name": "t", "type": kind, "config": config}}


def test_triggers_bring_what_they_would(world: World) -> None:
    manual = world.call("POST", "/triggers:run", trigger("manual", lang="json", data={"a": [1]}))
    assert manual.json == {"success": True, "output": {"data": {"a": [1]}}}
    for body in (trigger("cron", schedules=["nonsense"]), trigger("fixedTime", epochs=[1])):
        data = world.call("POST", "/triggers:run", body).json["output"]["data"]
        assert data["timestamp"] == world.clock.ms
        assert data["timestampIso"].endswith("Z")


@pytest.mark.parametrize("config", [{}, {"data": None}])
def test_a_manual_trigger_needs_data(world: World, config: Any) -> None:
    answer = world.call("POST", "/triggers:run", trigger("manual", lang="json", **config))
    assert (answer.status, answer.json["success"]) == (200, False)
    assert "data is required" in answer.json["error"]
    assert answer.json["errorCode"] == "INVALID_TRIGGER_CONFIG"


@pytest.mark.parametrize("kind", ["block", "event"])
def test_triggers_of_a_chain_need_one_that_can_be_read(world: World, kind: str) -> None:
    missing = world.call("POST", "/triggers:run", trigger(kind))
    assert missing.status == 400
    assert "chain_id" in missing.json["detail"]
    config = {"chainId": 84532, "interval": 5, "queries": [{"addresses": ["0x" + "11" * 20]}]}
    answer = world.call("POST", "/triggers:run", trigger(kind, **config))
    assert (answer.status, answer.json["success"]) == (200, False)
    assert answer.json["errorCode"] == "RPC_NODE_ERROR"


def test_a_simulation_shows_all_steps_and_stores_nothing(world: World) -> None:
    body = workflow(
        node("a", "return start.data.n * 2"),
        node("b", "return a.data + 1"),
        edges=[
            {"id": "1", "source": "t", "target": "a"},
            {"id": "2", "source": "a", "target": "b"},
        ],
    )
    answer = world.call("POST", "/workflows:simulate", body)
    assert answer.status == 200, answer.text
    assert (answer.json["status"], answer.json["workflowId"]) == ("success", "")
    outputs = [step["output"]["data"] for step in answer.json["steps"]]
    assert outputs == [{"n": 2}, 4, 5]
    assert not world.tasks.rows
    assert world.call("GET", "/executions:count").json == {"total": 0}


def test_state_is_scratch_between_simulations(world: World) -> None:
    body = workflow(node("a", "state.n = (state.n || 0) + 1; return state.n"))
    for _ in range(2):
        answer = world.call("POST", "/workflows:simulate", body)
        assert answer.json["status"] in ("success", "failed")
        assert answer.json["steps"][1].get("output", {"data": 1})["data"] == 1


def test_a_failing_node_fails_the_simulation_and_later_ones_run(world: World) -> None:
    body = workflow(
        node("a", ""),
        node("b", "return 1"),
        edges=[
            {"id": "1", "source": "t", "target": "a"},
            {"id": "2", "source": "a", "target": "b"},
        ],
    )
    answer = world.call("POST", "/workflows:simulate", body)
    assert (answer.status, answer.json["status"]) == (200, "failed")
    assert answer.json["steps"][1]["errorCode"] == "MISSING_REQUIRED_FIELD"
    assert answer.json["steps"][2]["output"]["data"] == 1


def test_a_simulation_stops_at_a_wait(world: World) -> None:
    wait = {"id": "w", "name": "w", "type": "await", "config": {"channel": "api"}}
    answer = world.call("POST", "/workflows:simulate", workflow(wait))
    assert (answer.status, answer.json["status"]) == (200, "waiting")


def test_a_trigger_that_can_not_fire_fails_the_simulation(world: World) -> None:
    manual = {"type": "manual", "config": {"lang": "json"}}
    body = workflow(node("a", "return 1"), trigger=manual)
    answer = world.call("POST", "/workflows:simulate", body)
    assert (answer.status, answer.json["status"]) == (200, "failed")
    assert [step["success"] for step in answer.json["steps"]] == [False]


@pytest.mark.parametrize(
    "change",
    [{"trigger": None}, {"nodes": []}, {"nodes": None}, {"inputVariables": {}}, {"chainId": "x"},
     {"unknown": 1}, {"edges": [{"id": "1", "source": "t", "target": "none"}]}],
)  # fmt: skip
def test_what_is_no_workflow_is_refused(world: World, change: dict[str, Any]) -> None:
    body = {**workflow(node("a", "return 1")), **change}
    assert world.call("POST", "/workflows:simulate", body).status == 400


def test_fees_are_flat_and_gas_needs_a_price(world: World) -> None:
    body = workflow(node("a", "return 1"), createdAt=1, expireAt=2, maxExecution=0)
    answer = world.call("POST", "/workflows:estimateFees", body)
    assert answer.status == 200
    assert answer.json["executionFee"] == {"amount": "0.02", "unit": "USD"}
    assert answer.json["cogs"] == []
    write = {"id": "w", "name": "w", "type": "contractWrite", "config": {}}
    answer = world.call("POST", "/workflows:estimateFees", {**body, "nodes": [write]})
    assert (answer.status, answer.json["code"]) == (503, "FEES_UNAVAILABLE")
    # And with one, gas is what the chain takes for it
    world.gas_prices[CHAIN] = 7
    answer = world.call("POST", "/workflows:estimateFees", {**body, "nodes": [write]})
    fee = {"amount": str(7 * 150_000), "unit": "WEI"}
    assert answer.json["cogs"] == [
        {"nodeId": "w", "costType": "gas", "fee": fee, "gasUnits": "150000"}
    ]
    assert answer.json["valueFee"]["fee"] == {"amount": "0.03", "unit": "PERCENTAGE"}
    assert world.call("POST", "/workflows:estimateFees", {"nodes": []}).status == 400
