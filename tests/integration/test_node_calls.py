"""AWS calls of a node's run, counted by name: each costs its user money and time."""

from __future__ import annotations

from task_engine.clock import SystemClock
from task_engine.model.execution import Outcome, StepStatus
from task_engine.model.plan import PlanNode
from task_engine.model.secret import SecretScope
from task_engine.processors.base import Scope
from task_engine.processors.custom_code import CustomCodeProcessor
from task_engine.run.in_process import run_json
from task_engine.run.memory import ScratchState
from task_engine.run.node_runner import NodeRunner, RunPorts

from tests.integration.world import World, a_plan, a_task, run_of


class Leaking:
    """Answers with the secret that it was given."""

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        return Outcome(data=[secret.reveal() for secret in scope.secrets.values()])

    def replay_safe(self, node: PlanNode) -> bool:
        return True


def _runner(world: World) -> NodeRunner:
    limits = world.settings.limits
    ports = RunPorts(world.steps(), world.plans(), ScratchState(), SystemClock(), limits)
    return NodeRunner(CustomCodeProcessor(limits), ports)


def test_a_warm_node_run_is_three_calls_and_a_cold_one_reads_the_plan_too(world: World) -> None:
    # Given two executions of one task
    task = world.given_task()
    first, second = (run_of(world.given_execution(task)) for _ in range(2))
    runner = _runner(world)
    world.operations()
    # When the function is cold
    assert runner.handle({"run": run_json(first), "nodeId": "n"}, 60)["next"] == "done"
    # Then the plan is read besides claim, load and store
    assert world.operations() == ["GetItem", "UpdateItem", "BatchGetItem", "UpdateItem"]
    # When it is warm
    assert runner.handle({"run": run_json(second), "nodeId": "n"}, 60)["next"] == "done"
    # Then it is those three
    assert world.operations() == ["UpdateItem", "BatchGetItem", "UpdateItem"]


def test_a_stored_step_is_one_call(world: World) -> None:
    # Given a step that is stored
    task = world.given_task()
    run = run_of(world.given_execution(task))
    runner = _runner(world)
    event: dict[str, object] = {"run": run_json(run), "nodeId": "n"}
    answer = runner.handle(event, 60)
    world.operations()
    # When the walker asks again
    again = runner.handle(event, 60)
    # Then its tokens are answered by the refused claim alone
    assert again == answer
    assert world.operations() == ["UpdateItem"]


def test_a_secret_costs_a_decryption_once_and_is_masked(world: World) -> None:
    # Given a plan whose node names a secret
    task = a_task()
    plan = a_plan(source="return apContext.configVars.TOKEN")
    named = {
        "n": PlanNode("n", "work", plan.nodes["n"].type, plan.nodes["n"].config, 1, (), ("TOKEN",))
    }
    world.tasks().create(
        task,
        type(plan)(plan.trigger, named, plan.stages, plan.run_class, plan.input_variables),
        1000,
    )
    world.secrets().put(task.owner, SecretScope.USER, "", "TOKEN", "hunter2-hunter2", 1)
    runs = [run_of(world.given_execution(task)) for _ in range(2)]
    limits = world.settings.limits
    ports = RunPorts(world.steps(), world.plans(), ScratchState(), SystemClock(), limits)
    runner = NodeRunner(Leaking(), ports)
    world.operations()
    # When it runs twice in one process
    for run in runs:
        runner.handle({"run": run_json(run), "nodeId": "n"}, 60)
    # Then KMS was asked once, and what was stored does not hold the value
    assert world.operations().count("Decrypt") == 1
    for run in runs:
        (step,) = world.steps().steps(run.execution_id)
        assert step.status is StepStatus.SUCCESS
        assert step.outcome.data == ["[secret]"]
