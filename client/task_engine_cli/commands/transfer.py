"""Tasks as files: export and import."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from task_engine_cli.commands.tasks import with_wallet
from task_engine_cli.documents import as_yaml, read_object
from task_engine_cli.failures import ExitCode, InputError
from task_engine_cli.options import AsJson
from task_engine_cli.printable import printable
from task_engine_cli.problems import as_document, as_lines
from task_engine_cli.session import Session, session
from task_engine_client import ApiError
from task_engine_client.document import Document, Json

_TASKS = "tasks"


def export(
    task_id: Annotated[str, typer.Argument(metavar="[ID]", help="Id of the task.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All your tasks, as one document.")] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="Write to this file.")] = "",
    yaml: Annotated[bool, typer.Option("--yaml", help="YAML instead of JSON.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a task's definition, fit for `create`: no ids, counters or times of the server."""
    with session(as_json) as here:
        if yaml and as_json:
            raise InputError("give either --yaml or --json")
        if bool(task_id) == every:
            raise InputError("give either the ID of a task or --all")
        document = _every(here) if every else _definition(here, task_id)
        as_text = as_yaml(document) if yaml else _as_json_text(document)
        if not output:
            typer.echo(as_text, nl=False)
            return
        try:
            Path(output).write_text(as_text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{output} can't be written: {error}") from error
        here.say(f"written to {output}")


def import_tasks(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="JSON or YAML; - reads standard input.")
    ],
    wallet: Annotated[
        str, typer.Option(help="Run them as this wallet, not as the one in the file.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Create the tasks of files: of `export`, of `export --all`, or written by hand.

    Every one is tried; 3 when any of them was refused.
    """
    with session(as_json) as here:
        definitions = [found for file in files for found in _definitions(file)]
        outcomes = [_imported(here, definition, wallet) for definition in definitions]
        if as_json:
            here.print_json([outcome.document() for outcome in outcomes])
        else:
            for outcome in outcomes:
                outcome.tell(here)
        if any(outcome.refusal for outcome in outcomes):
            raise typer.Exit(ExitCode.REFUSED)


@dataclass(frozen=True, slots=True)
class _Imported:
    """What became of one definition."""

    name: str
    task: Document
    refusal: ApiError | None = None

    def document(self) -> Json:
        if self.refusal is None:
            return dict(self.task)
        return {"name": self.name, **as_document(self.refusal)}

    def tell(self, here: Session) -> None:
        name = printable(self.name)
        if self.refusal is None:
            here.console.print(Text(f"created {printable(str(self.task['id']))} {name}".rstrip()))
            return
        here.errors.print(Text(f"{name or 'a task without a name'}:"), soft_wrap=True)
        for line in as_lines(self.refusal):
            here.errors.print(line, soft_wrap=True)


def _imported(here: Session, definition: dict[str, Json], wallet: str) -> _Imported:
    name = definition.get("name")
    name = name if isinstance(name, str) else ""
    try:
        whole = with_wallet(here, _moved(definition, wallet) if wallet else definition)
        return _Imported(name, here.client.workflows.create(whole).raw)
    except ApiError as error:
        if error.status == 401:
            raise
        return _Imported(name, {}, error)


def _moved(definition: dict[str, Json], wallet: str) -> dict[str, Json]:
    """The definition with another runner; what is wrong with the rest is for the API to say."""
    variables = definition.get("inputVariables", {})
    if not isinstance(variables, dict) or not isinstance(variables.get("settings", {}), dict):
        return definition
    settings = {**variables.get("settings", {}), "runner": wallet}
    moved = {"smartWalletAddress": wallet, "inputVariables": {**variables, "settings": settings}}
    return {**definition, **moved}


def _definitions(file: str) -> list[dict[str, Json]]:
    """The definitions of a file: one, or those below `tasks`; raises InputError."""
    document = read_object(file)
    if "trigger" in document or _TASKS not in document:
        return [document]
    listed = document[_TASKS]
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise InputError(f"{file}: {_TASKS} must be a list of tasks")
    return listed


def _every(here: Session) -> dict[str, Json]:
    """All tasks, oldest first, so that importing them keeps their order."""
    rows = list(here.client.workflows.all())
    return {_TASKS: [_definition(here, row.id) for row in reversed(rows)]}


def _definition(here: Session, task_id: str) -> dict[str, Json]:
    return here.client.workflows.get(task_id).definition()


def _as_json_text(document: dict[str, Json]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
