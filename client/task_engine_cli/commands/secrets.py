"""Secrets: put, list, delete. A value is typed hidden or read, it is never an argument."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.text import Text

from task_engine_cli.failures import InputError
from task_engine_cli.options import AsJson
from task_engine_cli.session import session
from task_engine_cli.views import secret_table

app = typer.Typer(no_args_is_help=True, help="Secrets that nodes may name.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits and _.")]
OfTask = Annotated[str, typer.Option("--task", help="A secret of this task alone.")]


@app.command()
def put(name: Name, task: OfTask = "", as_json: AsJson = False) -> None:
    """Store or replace a secret; its value is asked for, or read from standard input."""
    with session(as_json) as here:
        here.client.secrets.put(name, _value(), workflow_id=task)
        here.show({"name": name}, lambda: Text(f"stored {name}"))


@app.command("list")
def list_secrets(task: OfTask = "", as_json: AsJson = False) -> None:
    """List the names; values are never shown."""
    with session(as_json) as here:
        rows = list(here.client.secrets.all(workflow_id=task))
        here.show([dict(row.raw) for row in rows], lambda: secret_table(rows))


@app.command()
def delete(name: Name, task: OfTask = "", as_json: AsJson = False) -> None:
    """Delete a secret."""
    with session(as_json) as here:
        here.client.secrets.delete(name, workflow_id=task)
        here.show({"deleted": name}, lambda: Text(f"deleted {name}"))


def _value() -> str:
    """Asked twice on a terminal; else all of standard input but one line end at its end."""
    if sys.stdin.isatty():
        value: str = typer.prompt("Value", hide_input=True, confirmation_prompt=True, err=True)
        return value
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise InputError("the value on standard input is not UTF-8 text") from error
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise InputError("there is no value on standard input")
    return value
