"""Runs: look at them, read their logs, decide on waits."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer
from rich.text import Text

from task_engine_cli.documents import parse_object
from task_engine_cli.execution_tree import execution_tree
from task_engine_cli.failures import RunFailed
from task_engine_cli.options import TEN_MINUTES, AsJson, ExecutionId, Limit, OfTask, TaskId, Timeout
from task_engine_cli.printable import moment, printable
from task_engine_cli.progress import step_line
from task_engine_cli.remembered import remember, task_of
from task_engine_cli.session import Session, session
from task_engine_cli.views import execution_table
from task_engine_client import ApiError, Edge, Execution, Step
from task_engine_client.document import Json

_MOST_A_PAGE = 200


def executions(task_id: TaskId, limit: Limit = 50, as_json: AsJson = False) -> None:
    """List the runs of a task, newest first."""
    with session(as_json) as here:
        every = here.client.executions.all(task_id, limit=min(limit, _MOST_A_PAGE))
        rows = list(islice(every, limit))
        remember((row.id, row.workflow_id or task_id) for row in reversed(rows))
        here.show([dict(row.raw) for row in rows], lambda: execution_table(rows))


def execution(execution_id: ExecutionId, task: OfTask = "", as_json: AsJson = False) -> None:
    """Show a run as a tree with times."""
    with session(as_json) as here:
        task_id = task_of(here, execution_id, task)
        found = here.client.executions.get(task_id, execution_id)
        if as_json:
            here.print_json(dict(found.raw))
            return
        here.console.print(execution_tree(found, _edges(here, task_id)))


def logs(
    execution_id: ExecutionId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run ends; 1 if it failed.")
    ] = False,
    task: OfTask = "",
    timeout: Timeout = TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """Print what the steps of a run logged, in the order they ended; --json: one line a step."""
    with session(as_json) as here:
        task_id = task_of(here, execution_id, task)
        if not follow:
            for step in here.client.executions.get(task_id, execution_id).steps:
                _print_log(here, step)
            return
        told = 0
        last = Execution.of({})
        for last in here.client.executions.changes(task_id, execution_id, timeout=timeout):
            for step in last.steps[told:]:
                _print_log(here, step)
            told = len(last.steps)
        here.say(f"{last.id} {printable(last.status)}")
        if not last.succeeded:
            raise RunFailed


def signal(
    execution_id: ExecutionId,
    approve: Annotated[bool, typer.Option("--approve/--reject", help="The decision.")],
    payload: Annotated[str, typer.Option(help="What the wait hands on: a JSON object.")] = "",
    task: OfTask = "",
    as_json: AsJson = False,
) -> None:
    """Decide on a run that waits for a person."""
    with session(as_json) as here:
        body = parse_object("--payload", payload) if payload else None
        task_id = task_of(here, execution_id, task)
        word = "approve" if approve else "reject"
        after = here.client.executions.signal(task_id, execution_id, word, body)
        here.show(dict(after.raw), lambda: Text(f"{printable(after.id)} {printable(after.status)}"))


def _edges(here: Session, task_id: str) -> tuple[Edge, ...]:
    """The task's edges; none when it has been deleted since."""
    try:
        return here.client.workflows.get(task_id).edges
    except ApiError as error:
        if error.status != 404:
            raise
        return ()


def _print_log(here: Session, step: Step) -> None:
    if here.as_json:
        line: dict[str, Json] = {
            "id": step.id,
            "name": step.name,
            "type": step.type,
            "success": step.success,
            "startAt": step.start_at,
            "endAt": step.end_at,
            "log": step.log,
            "error": step.error,
        }
        here.print_json(line, one_line=True)
        return
    at = Text(f"{moment(step.end_at)} ", "dim")
    here.console.print(at + step_line(step), soft_wrap=True)
    for text in step.log.splitlines():
        here.console.print(Text(f"    {printable(text)}"), soft_wrap=True)
