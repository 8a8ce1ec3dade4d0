"""A workflow run once without being created: the same plan and processors, nothing stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from task_engine.clock import Clock
from task_engine.compiler.compile import compile_definition
from task_engine.compiler.elements import ReadNodes, read_edges, read_nodes, read_trigger
from task_engine.compiler.graph_check import Link, Shape, graph_problems
from task_engine.compiler.request_check import document_problems, variable_problems
from task_engine.compiler.rules import ValidationRules
from task_engine.config import Settings
from task_engine.errors import InvalidRequest, Problem
from task_engine.ids import new_id
from task_engine.model.edge import Edge
from task_engine.model.execution import Execution, ExecutionStatus, Outcome, RunContext, StepError
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.plan import Plan
from task_engine.model.task import Definition
from task_engine.model.trigger import Trigger, TriggerRecord, TriggerType
from task_engine.run.finish import skipped_nodes
from task_engine.services.executions import ExecutionDetail
from task_engine.services.firing import merged_map
from task_engine.services.scratch import ScratchRuns, SecretsOf
from task_engine.services.trigger_trials import TriggerTrials

SIMULATION_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """A transient execution; `trigger_error` is set when the trigger could not fire, and then no
    node ran."""

    detail: ExecutionDetail
    trigger_error: StepError | None = None


class SimulationService:
    """Simulates workflows with the caller's own secrets and an empty `state.*`."""

    def __init__(
        self,
        runs: ScratchRuns,
        secrets: SecretsOf,
        trials: TriggerTrials,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._trials = trials
        self._secrets = secrets
        self._settings = settings
        self._clock = clock

    def simulate(self, owner: str, body: JsonObject, chain_id: int) -> Simulated:
        """Run `{trigger, nodes, edges?, inputVariables}` now.

        Without edges, every node follows the trigger. Raises InvalidRequest with every problem of
        the workflow's shape; what is wrong with one node's configuration fails its step.
        """
        now = self._clock.now_ms()
        definition = _definition(body, self._rules(now))
        plan = compile_definition(definition)
        trigger = definition.trigger
        fired = self._trials.outcome(trigger.type, trigger.config, _runner(definition))
        execution = _execution(owner, trigger, fired, (now, chain_id))
        if fired.error is not None:
            failed = replace(
                execution,
                status=ExecutionStatus.FAILED,
                error=f"1 of 1 steps failed: {trigger.name}",
                end_at=self._clock.now_ms(),
            )
            return Simulated(ExecutionDetail(failed, (), plan), fired.error)
        return Simulated(self._walked(owner, plan, execution))

    def _walked(self, owner: str, plan: Plan, execution: Execution) -> ExecutionDetail:
        names = tuple(dict.fromkeys(n for node in plan.nodes.values() for n in node.secrets))
        secrets = self._secrets.values(owner, names) if names else {}
        ended = self._runs.walk(plan, execution, secrets, SIMULATION_SECONDS)
        final = ended.status.final
        done = replace(
            execution,
            status=ended.status,
            error=ended.error,
            end_at=self._clock.now_ms() if final else 0,
            skipped=skipped_nodes(plan, ended.steps) if final else (),
        )
        return ExecutionDetail(done, ended.steps, plan)

    def _rules(self, now_ms: int) -> ValidationRules:
        # How often a trigger may fire matters to what stays.
        limits = replace(self._settings.limits, min_cron_gap_seconds=0, min_block_gap_seconds=0)
        return ValidationRules(limits, frozenset(self._settings.chains), now_ms)


def _runner(definition: Definition) -> str:
    """The wallet that acts, "" without one."""
    settings = definition.input_variables.get("settings")
    runner = settings.get("runner") if isinstance(settings, dict) else None
    return runner if isinstance(runner, str) else ""


def _definition(body: JsonObject, rules: ValidationRules) -> Definition:
    unreadable = document_problems(body, rules.limits)
    if unreadable:
        raise _refused(unreadable)
    variables = body.get("inputVariables")
    given = dict(variables) if isinstance(variables, dict) else {}
    read = read_nodes(body.get("nodes"), rules)
    links, problems = read_edges(body.get("edges"))
    trigger_id = _trigger_id(body.get("trigger"), links, read)
    trigger, found = None, [Problem("WORKFLOWS_BAD_TRIGGER", "trigger", "trigger is required")]
    if isinstance(body.get("trigger"), dict):
        trigger, found = read_trigger(body["trigger"], given, trigger_id, rules)
    # A trigger that can't fire is the simulation's first result.
    problems += [problem for problem in found if not problem.path.startswith("trigger.config")]
    problems += _node_problems(body, read)
    problems += variable_problems({"inputVariables": given})
    if not links:
        links = [Link(f"e{v.place}", trigger_id, v.id, v.place) for v in read.vertices]
    problems += graph_problems(Shape(trigger_id, read.vertices, links))
    if problems or trigger is None:
        raise _refused(problems)
    edges = tuple(Edge(link.id, link.source, link.target) for link in links)
    return Definition(trigger, tuple(node for _, node in read.nodes), edges, given)


def _node_problems(body: JsonObject, read: ReadNodes) -> list[Problem]:
    """Nodes that can't be told; a configuration is its step's matter."""
    nodes = body.get("nodes")
    if not isinstance(nodes, list) or not nodes:
        return [Problem("WORKFLOWS_BAD_NODE", "nodes", "nodes is required: at least one")]
    found = [problem for problem in read.problems if "].config." not in problem.path]
    if not found and len(read.nodes) < len(nodes):
        found.append(Problem("WORKFLOWS_BAD_NODE", "nodes", "every node needs id, type and config"))
    return found


def _trigger_id(trigger: JsonValue, links: list[Link], read: ReadNodes) -> str:
    """Its own id, or the one source of edges that is no node's."""
    given = trigger.get("id") if isinstance(trigger, dict) else None
    if isinstance(given, str) and given.strip():
        return given
    ids = {vertex.id for vertex in read.vertices}
    others = {link.source for link in links if link.source.partition(".")[0] not in ids}
    return others.pop() if len(others) == 1 else new_id()


def _execution(owner: str, trigger: Trigger, fired: Outcome, times: tuple[int, int]) -> Execution:
    now, chain_id = times
    config = trigger.config
    manual = trigger.type is TriggerType.MANUAL and fired.error is None
    chain = config.get("chainId") if trigger.type.on_chain else None
    return Execution(
        id=new_id(now),
        task_id="",
        owner=owner,
        index=0,
        status=ExecutionStatus.PENDING,
        trigger=TriggerRecord(
            type=trigger.type,
            data=fired.data,
            headers=merged_map(config.get("headers")) if manual else None,
            path_params=merged_map(config.get("pathParams")) if manual else None,
        ),
        context=RunContext("Enabled", 1, 0, 0),
        start_at=now,
        chain_id=chain if isinstance(chain, int) else chain_id,
    )


def _refused(problems: Sequence[Problem]) -> InvalidRequest:
    code = problems[0].code if len(problems) == 1 else "WORKFLOWS_BAD_REQUEST"
    return InvalidRequest("the workflow can't be simulated", tuple(problems[:200]), code=code)
