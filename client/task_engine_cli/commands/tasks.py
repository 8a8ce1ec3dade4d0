"""Tasks: create, list, show, pause, resume, delete, simulate, estimate."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer
from rich.text import Text

from task_engine_cli.documents import parse_object, read_object
from task_engine_cli.execution_tree import execution_tree
from task_engine_cli.failures import RunFailed
from task_engine_cli.options import AsJson, ChainId, File, Key, Limit, TaskId, Variables, Yes
from task_engine_cli.printable import printable
from task_engine_cli.session import Session, session
from task_engine_cli.views import fees_table, workflow_table, workflow_view
from task_engine_client import Workflow
from task_engine_client.document import Json

_MOST_A_PAGE = 200


def create(
    file: File,
    name: Annotated[str, typer.Option(help="Another name than the file's.")] = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Create a task from a file. Without a wallet in it, the task runs as your chosen wallet."""
    with session(as_json) as here:
        definition = read_object(file)
        if name:
            definition["name"] = name
        workflow = here.client.workflows.create(with_wallet(here, definition), key=key)
        here.show(
            dict(workflow.raw),
            lambda: Text(f"created {printable(workflow.id)} {printable(workflow.name)}".rstrip()),
        )


def list_tasks(
    status: Annotated[
        list[str] | None, typer.Option(help="Only of this status; may be repeated.")
    ] = None,
    wallet: Annotated[
        list[str] | None, typer.Option(help="Only of this wallet; may be repeated.")
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List tasks, newest first."""
    with session(as_json) as here:
        every = here.client.workflows.all(
            statuses=status or (), wallets=wallet or (), limit=min(limit, _MOST_A_PAGE)
        )
        rows = list(islice(every, limit))
        here.show([dict(row.raw) for row in rows], lambda: workflow_table(rows))


def show(task_id: TaskId, as_json: AsJson = False) -> None:
    """Show a task."""
    with session(as_json) as here:
        workflow = here.client.workflows.get(task_id)
        here.show(dict(workflow.raw), lambda: workflow_view(workflow))


def pause(task_id: TaskId, as_json: AsJson = False) -> None:
    """Let nothing start a task until it is resumed."""
    with session(as_json) as here:
        _show_status(here, here.client.workflows.pause(task_id))


def resume(task_id: TaskId, as_json: AsJson = False) -> None:
    """Let a paused task start again."""
    with session(as_json) as here:
        _show_status(here, here.client.workflows.resume(task_id))


def delete(
    task_id: TaskId,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete a task; asks first on a terminal."""
    with session(as_json) as here:
        if not yes and here.console.is_terminal and not as_json:
            typer.confirm(f"Delete {task_id}?", abort=True)
        here.client.workflows.delete(task_id)
        here.show({"deleted": task_id}, lambda: Text(f"deleted {task_id}"))


def simulate(file: File, variables: Variables = "", as_json: AsJson = False) -> None:
    """Run a file's task without storing it and without side effects."""
    with session(as_json) as here:
        definition = with_wallet(here, read_object(file))
        if variables:
            given = parse_object("--variables", variables)
            definition["inputVariables"] = {**definition["inputVariables"], **given}
        execution = here.client.workflows.simulate(definition)
        edges = Workflow.of(definition).edges
        here.show(dict(execution.raw), lambda: execution_tree(execution, edges))
        if not execution.succeeded:
            raise RunFailed


def estimate_fees(file: File, chain_id: ChainId = None, as_json: AsJson = False) -> None:
    """What one run of a file's task would cost."""
    with session(as_json) as here:
        definition = read_object(file)
        if chain_id:
            definition["chainId"] = chain_id
        fees = here.client.workflows.estimate_fees(definition)
        here.show(dict(fees), lambda: fees_table(fees))


def with_wallet(here: Session, definition: dict[str, Json]) -> dict[str, Json]:
    """The definition with a runner; what is wrong with the rest is for the API to say."""
    variables = definition.get("inputVariables", {})
    if not isinstance(variables, dict) or not isinstance(variables.get("settings", {}), dict):
        return definition
    settings = dict(variables.get("settings", {}))
    wallet = settings.get("runner") or definition.get("smartWalletAddress")
    wallet = wallet or here.default_wallet()
    settings.setdefault("runner", wallet)
    return {
        "smartWalletAddress": wallet,
        **definition,
        "inputVariables": {**variables, "settings": settings},
    }


def _show_status(here: Session, workflow: Workflow) -> None:
    here.show(
        dict(workflow.raw), lambda: Text(f"{printable(workflow.id)} {printable(workflow.status)}")
    )
