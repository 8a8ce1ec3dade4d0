"""Waits for events: opened with a check, decided by an operator's notice, gone after that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from task_engine.aws.check_repository import CheckRepository
from task_engine.aws.wait_repository import WaitRepository
from task_engine.ids import new_id
from task_engine.model.execution import Execution
from task_engine.model.wait import Decision, Verdict, Wait
from task_engine.operator.checks import EventCheck, wait_check_id
from task_engine.operator.findings import Finding, Kind, Occurrence
from task_engine.services.signals import SignalService
from task_engine.services.wait_events import WaitEvents

from tests.fakes.clock import START_MS
from tests.integration.test_checks import CONTRACT, a_chain
from tests.integration.world import World


@dataclass
class States:
    """Step Functions, which remembers what it was told."""

    told: list[str] = field(default_factory=list)

    def call(self, _: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.told.append(parameters["taskToken"])
        return {}


@dataclass
class Clients:
    states: States
    schedules: None = None


class Desk:
    def __init__(self, world: World) -> None:
        self.world, self.states = world, States()
        clients: Any = Clients(self.states)
        self.waits = WaitRepository(world.dynamo, world.packer, clients, world.settings)
        self.checks = CheckRepository(world.dynamo, world.settings, world.clock)
        signals = SignalService(self.waits, world.executions(), world.clock)
        self.events = WaitEvents(self.checks, signals)

    def opened(self, execution: Execution, chain: int, node: str = "a") -> Wait:
        event: Any = {"chainId": chain, "queries": [{"addresses": [CONTRACT]}]}
        wait = Wait(
            execution.id, execution.task_id, execution.owner, node, 3, (), START_MS + 60_000,
            f"token-{node}", chain_id=chain, event=event,
        )  # fmt: skip
        return self.waits.open(wait, self.world.clock.ms)

    def finding(self, wait: Wait, check: EventCheck) -> Finding:
        where = Occurrence(check.chain_id, 7, "0x" + "b1" * 32, "0x" + "7a" * 32, 1)
        output: dict[str, Any] = {"contractAddress": CONTRACT, "topics": [], "mark": new_id()}
        return Finding(Kind.EVENT, check.id, wait.owner, check.version, where, output)

    def check(self, wait: Wait) -> EventCheck | None:
        name = wait_check_id(wait.execution_id, wait.node_id)
        check = self.checks.find(wait.chain_id, name)
        assert check is None or isinstance(check, EventCheck)
        return check


def test_two_waits_of_one_execution_end_each_by_its_own_event(world: World) -> None:
    # Given an execution that waits for an event on each of two nodes
    desk, chain = Desk(world), a_chain()
    execution = world.given_execution(world.given_task())
    first, second = desk.opened(execution, chain), desk.opened(execution, chain, "b:c")
    assert {check.id for check in desk.checks.page(chain, "").checks} == {
        wait_check_id(execution.id, "a"),
        wait_check_id(execution.id, "b:c"),
    }
    # When the event of the second comes, twice
    check = desk.check(second)
    assert check is not None
    assert (check.since_ms, check.expired_at) == (START_MS, START_MS + 60_000)
    finding = desk.finding(second, check)
    desk.events.wake(finding)
    # Then it alone goes on, with the event's data, and is watched for no longer
    assert desk.states.told == ["token-b:c"]
    waits = {wait.node_id: wait for wait in desk.waits.of(execution.id)}
    decision = waits["b:c"].decision
    assert decision is not None
    assert (decision.by, decision.payload) == ("operator", finding.output)
    assert waits["a"].decision is None
    assert desk.check(second) is None
    assert desk.check(first) is not None


def test_a_wait_that_ended_otherwise_is_watched_for_no_longer(world: World) -> None:
    desk, chain = Desk(world), a_chain()
    wait = desk.opened(world.given_execution(world.given_task()), chain)
    cursor = desk.checks.page(chain, "").cursor
    world.clock.forward(60_000)
    assert desk.waits.decide(wait, Decision(Verdict.TIMEOUT, "", world.clock.ms)) is not None
    assert desk.checks.page(chain, cursor).removed == (wait_check_id(wait.execution_id, "a"),)


def test_a_wait_that_is_opened_again_has_the_same_check(world: World) -> None:
    desk, chain = Desk(world), a_chain()
    execution = world.given_execution(world.given_task())
    wait = desk.opened(execution, chain)
    before = desk.check(wait)
    world.clock.forward(5_000)
    desk.opened(execution, chain)
    assert desk.check(wait) == before
