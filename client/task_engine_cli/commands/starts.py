"""Starting runs and following them to their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.text import Text

from task_engine_cli.documents import parse_object, parse_value
from task_engine_cli.execution_tree import execution_tree
from task_engine_cli.failures import InputError, RunFailed
from task_engine_cli.options import (
    TEN_MINUTES,
    AsJson,
    ExecutionId,
    Key,
    OfTask,
    TaskId,
    Timeout,
    Variables,
    Wait,
    Watch,
)
from task_engine_cli.printable import printable
from task_engine_cli.progress import watch
from task_engine_cli.remembered import remember, task_of
from task_engine_cli.session import Session, session
from task_engine_client import Execution, ExecutionSummary, Workflow


def trigger(
    task_id: TaskId,
    data: Annotated[
        str, typer.Option("--data", help="The trigger's output: JSON, @FILE or -.")
    ] = "",
    variables: Variables = "",
    wait: Wait = True,
    live: Watch = False,
    key: Key = "",
    timeout: Timeout = TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """Run a task now. Exits with 1 when the run failed or did not end in time."""
    with session(as_json) as here:
        following = _Following(wait, live, timeout)
        output = parse_value("--data", data) if data else None
        extra = parse_object("--variables", variables) if variables else None
        workflow = here.client.workflows.get(task_id)
        started = here.client.workflows.trigger(
            workflow.id,
            data=output,
            variables=extra,
            trigger_type=workflow.trigger.type,
            key=key,
        )
        _follow(here, workflow, started, following)


def rerun(
    execution_id: ExecutionId,
    task: OfTask = "",
    wait: Wait = True,
    live: Watch = False,
    key: Key = "",
    timeout: Timeout = TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """Run a task once more with what a run of it was triggered by; it is a new run."""
    with session(as_json) as here:
        following = _Following(wait, live, timeout)
        task_id = task_of(here, execution_id, task)
        workflow = here.client.workflows.get(task_id)
        started = here.client.executions.rerun(workflow.id, execution_id, key=key)
        _follow(here, workflow, started, following)


def resume_run(
    execution_id: ExecutionId,
    task: OfTask = "",
    wait: Wait = True,
    live: Watch = False,
    timeout: Timeout = TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """Have a run that stopped go on after its last stored step; the same run, no new one."""
    with session(as_json) as here:
        following = _Following(wait, live, timeout)
        task_id = task_of(here, execution_id, task)
        workflow = here.client.workflows.get(task_id)
        resumed = here.client.executions.resume(workflow.id, execution_id)
        _follow(here, workflow, ExecutionSummary.of(dict(resumed.raw)), following)


@dataclass(frozen=True, slots=True)
class _Following:
    """Whether to wait for the end of a run, for how many seconds, and what to show meanwhile."""

    wait: bool
    live: bool
    timeout: float

    def __post_init__(self) -> None:
        if self.live and not self.wait:
            raise InputError("--watch waits: leave --no-wait out")


def _follow(
    here: Session, workflow: Workflow, started: ExecutionSummary, following: _Following
) -> None:
    remember([(started.id, workflow.id)])
    if not following.wait:
        text = f"started {printable(started.id)} ({printable(started.status)})"
        here.show(dict(started.raw), lambda: Text(text))
        return
    changes = here.client.executions.changes(workflow.id, started.id, timeout=following.timeout)
    live = following.live and not here.as_json
    last = watch(here.console, workflow, changes) if live else _last(changes)
    here.show(dict(last.raw), lambda: execution_tree(last, workflow.edges))
    if not last.succeeded:
        raise RunFailed


def _last(changes: Iterator[Execution]) -> Execution:
    last = Execution.of({})
    for state in changes:
        last = state
    return last
