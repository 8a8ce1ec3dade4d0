"""The entry point: all commands under one name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from task_engine_cli.commands import (
    chains,
    operator,
    runs,
    secrets,
    sign_in,
    single,
    starts,
    tasks,
    transfer,
    wallets,
)
from task_engine_client import VERSION

app = typer.Typer(
    name="task-engine",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Create, run and watch tasks. Exit codes: 0 ok, 1 the run failed, 2 usage, "
    "3 the API refused, 4 not reachable.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS: dict[str, Callable[..., None]] = {
    "login": sign_in.login,
    "logout": sign_in.logout,
    "config": sign_in.config,
    "create": tasks.create,
    "list": tasks.list_tasks,
    "show": tasks.show,
    "trigger": starts.trigger,
    "rerun": starts.rerun,
    "resume-run": starts.resume_run,
    "executions": runs.executions,
    "execution": runs.execution,
    "logs": runs.logs,
    "signal": runs.signal,
    "pause": tasks.pause,
    "resume": tasks.resume,
    "delete": tasks.delete,
    "export": transfer.export,
    "import": transfer.import_tasks,
    "simulate": tasks.simulate,
    "estimate-fees": tasks.estimate_fees,
    "run-node": single.run_node,
    "run-trigger": single.run_trigger,
    "wallets": wallets.list_wallets,
    "operators": chains.operators,
    "tokens": chains.tokens,
    "health": single.health,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(secrets.app, name="secrets")
app.add_typer(wallets.app, name="wallet")
app.add_typer(operator.app, name="operator")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(VERSION)
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Its version.")
    ] = False,
) -> None:
    """Options before any command."""


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    app(prog_name="task-engine")
