"""An await node opens its wait, stands still, and goes on as was decided."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.clock import SystemClock
from task_engine.errors import Unavailable
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.wait import Decision, Verdict, Wait
from task_engine.run.await_runner import AwaitRunner
from task_engine.run.fail_step import FailStep
from task_engine.run.in_process import run_json
from task_engine.run.node_runner import Answer
from task_engine.run.ports import Run, StepKey

from tests.fakes.waits import FakeWaits
from tests.unit.run.stores import RUN, ContendedRun, a_run, ports_of

WAITS: Answer = {"next": "wait", "tokens": []}


class Desk:
    """One await node in a run."""

    def __init__(self, **config: JsonValue) -> None:
        self.memory: ContendedRun = a_run()
        plan = self.memory.plan(RUN)
        node = replace(
            plan.nodes["n"], type=NodeType.AWAIT, config={"channel": "api", **config}, secrets=()
        )
        plan.nodes["n"] = node
        self.waits = FakeWaits()
        self.runner = AwaitRunner(ports_of(self.memory), self.waits)

    def handle(self, **more: object) -> Answer:
        return self.runner.handle({"run": run_json(RUN), "nodeId": "n", **more}, 30)

    def decide(self, verdict: Verdict, payload: JsonValue = None) -> None:
        (wait,) = self.waits.of("e1")
        assert self.waits.decide(wait, Decision(verdict, "0xboss", 5, payload)) is not None


def test_it_waits_until_it_is_decided_and_is_released_meanwhile() -> None:
    desk = Desk(timeoutSeconds=60)
    assert desk.handle() == WAITS
    assert desk.memory.released == 1
    assert desk.handle(token="first") == WAITS
    assert desk.waits.armed == ["n"]
    assert desk.handle() == WAITS
    assert desk.memory.steps("e1") == []


def test_storage_that_is_away_makes_no_failure_of_what_was_approved() -> None:
    desk = Desk()
    desk.handle(token="first")
    desk.decide(Verdict.APPROVE)
    find = desk.waits.find

    def away(run: Run, key: StepKey) -> Wait | None:
        raise Unavailable("away")

    desk.waits.find = away  # type: ignore[method-assign]
    assert desk.handle(tries=1) == {"next": "retry", "waitSeconds": 4, "tries": 2, "tokens": []}
    with pytest.raises(Unavailable):
        desk.handle(tries=4)
    assert desk.memory.steps("e1") == []
    desk.waits.find = find  # type: ignore[method-assign]
    assert desk.handle() == {"next": "done", "tokens": ["n", "n.approved"]}


def test_an_approval_is_the_nodes_data_and_lets_its_successors_run() -> None:
    desk = Desk()
    desk.handle(token="first")
    payload: JsonValue = {"note": "fine", "by": "somebody else"}
    desk.decide(Verdict.APPROVE, payload)
    assert desk.handle() == {"next": "done", "tokens": ["n", "n.approved"]}
    (step,) = desk.memory.steps("e1")
    assert step.outcome.error is None
    # The payload's fields stand there too, and never in place of who decided what
    assert step.outcome.data == {
        "decision": "approve", "by": "0xboss", "at": 5, "payload": payload, "note": "fine",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "token", "text"),
    [(Verdict.REJECT, "n.rejected", "rejected by"), (Verdict.TIMEOUT, "n.timeout", "timed out")],
)
def test_what_follows_an_approval_does_not_run_without_one(
    verdict: Verdict, token: str, text: str
) -> None:
    desk = Desk()
    desk.handle(token="first")
    desk.decide(verdict)
    assert desk.handle() == {"next": "done", "tokens": [token]}
    (step,) = desk.memory.steps("e1")
    assert step.outcome.error is not None
    assert text in step.outcome.error.message


def test_a_rejection_may_be_asked_to_go_on() -> None:
    desk = Desk(onReject="continue")
    desk.handle(token="first")
    desk.decide(Verdict.REJECT)
    assert desk.handle() == {"next": "done", "tokens": ["n", "n.rejected"]}


def test_a_wait_that_a_revived_walk_opens_again_is_delivered_at_once_when_decided() -> None:
    desk = Desk()
    desk.handle(token="first")
    desk.decide(Verdict.APPROVE)
    desk.handle(token="second")
    assert desk.waits.delivered == ["second"]


def test_a_wait_whose_function_died_lets_nothing_run_after_it() -> None:
    desk = Desk()
    event = {"run": run_json(RUN), "nodeId": "n", "error": {"Error": "Lambda.Unknown"}}
    answer = FailStep(desk.memory, desk.memory, SystemClock()).handle(event)
    assert answer == {"next": "done", "tokens": []}


ADDRESS = "0x" + "11" * 20
TOPIC = "0x" + "dd" * 32


def event_desk(query: dict[str, JsonValue], **config: JsonValue) -> Desk:
    """An await node for an event; the run's trigger has brought an address."""
    desk = Desk(channel=None, chainEvent={"chainId": 7, "queries": [query]}, **config)
    plan = desk.memory.plan(RUN)
    plan.nodes["n"] = replace(plan.nodes["n"], reads=())
    return desk


def test_an_event_is_waited_for_with_the_runs_own_addresses() -> None:
    query: dict[str, JsonValue] = {"addresses": ["{{to}}"], "topics": [TOPIC, None, "{{to}}"]}
    desk = event_desk(query)
    desk.memory.plan(RUN).input_variables["to"] = ADDRESS
    assert desk.handle() == WAITS
    assert desk.handle(token="first") == WAITS
    (wait,) = desk.waits.of("e1")
    assert (wait.chain_id, wait.may_decide(RUN.owner)) == (7, False)
    assert wait.event == {
        "chainId": 7,
        "queries": [{"addresses": [ADDRESS], "topics": [TOPIC, None, ADDRESS]}],
    }


@pytest.mark.parametrize("to", ["", "null", "somebody", "0x12", None])
def test_an_address_that_does_not_resolve_never_becomes_a_wildcard(to: JsonValue) -> None:
    desk = event_desk({"addresses": ["{{to}}"], "topics": []})
    desk.memory.plan(RUN).input_variables["to"] = to
    assert desk.handle() == {"next": "done", "tokens": []}
    (step,) = desk.memory.steps("e1")
    assert step.outcome.error is not None
    assert desk.waits.rows == {}


def test_the_events_data_is_the_nodes_data() -> None:
    desk = event_desk({"addresses": [ADDRESS]})
    desk.handle(token="first")
    desk.decide(Verdict.APPROVE, {"eventName": "Transfer", "value": "5"})
    assert desk.handle() == {"next": "done", "tokens": ["n", "n.approved"]}
    (step,) = desk.memory.steps("e1")
    assert step.outcome.data == {"eventName": "Transfer", "value": "5"}


def test_an_event_that_never_came_fails_the_node() -> None:
    desk = event_desk({"addresses": [ADDRESS]})
    desk.handle(token="first")
    desk.decide(Verdict.TIMEOUT)
    assert desk.handle() == {"next": "done", "tokens": ["n.timeout"]}
    (step,) = desk.memory.steps("e1")
    assert step.outcome.error is not None
    assert "no such event" in step.outcome.error.message
