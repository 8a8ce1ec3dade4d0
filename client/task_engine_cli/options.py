"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print the API's document as JSON.")]
TaskId = Annotated[str, typer.Argument(metavar="ID", help="Id of the task.")]
ExecutionId = Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")]
OfTask = Annotated[
    str, typer.Option("--task", help="The execution's task; found by itself when left out.")
]
File = Annotated[str, typer.Argument(metavar="FILE", help="JSON or YAML; - reads standard input.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most this many rows.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait for the end.")]
Variables = Annotated[
    str, typer.Option("--variables", help="Variables of the run: a JSON object, @FILE or -.")
]
