"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

TEN_MINUTES = 600.0

AsJson = Annotated[bool, typer.Option("--json", help="Print the API's document as JSON.")]
TaskId = Annotated[str, typer.Argument(metavar="ID", help="Id of the task.")]
ExecutionId = Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")]
OfTask = Annotated[
    str, typer.Option("--task", help="The execution's task; found by itself when left out.")
]
File = Annotated[str, typer.Argument(metavar="FILE", help="JSON or YAML; - reads standard input.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most this many rows.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait for the end.")]
Key = Annotated[str, typer.Option("--key", help="Do it once, however often this key is sent.")]
ChainId = Annotated[
    int | None, typer.Option("--chain-id", min=1, help="Another chain than the session's.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Wait = Annotated[bool, typer.Option(help="Wait for the end of the run.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show every node meanwhile.")]
Variables = Annotated[
    str, typer.Option("--variables", help="Variables of the run: a JSON object, @FILE or -.")
]
