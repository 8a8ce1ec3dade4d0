"""Run an operator of your own: watches chains for a task engine, with its own key and nodes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from task_engine_cli.failures import ExitCode, InputError, RunFailed
from task_engine_cli.options import AsJson
from task_engine_cli.session import Session, session
from task_engine_cli.settings import Settings
from task_engine_client import VERSION

if TYPE_CHECKING:
    from task_engine_operator.config import OperatorConfig

app = typer.Typer(no_args_is_help=True, help="Run an operator of your own.")
ConfigFile = Annotated[
    str, typer.Option("--config", help="Its settings, in TOML; see docs/operators.md.")
]


@app.command()
def run(config: ConfigFile = "") -> None:
    """Watch chains until SIGTERM or Ctrl-C; the pass that is at work is finished first."""
    with _operator(config, as_json=False) as (_, settings):
        from task_engine_operator.running import run as run_operator  # noqa: PLC0415 - the engine

        if not run_operator(settings, os.environ, VERSION):
            raise RunFailed


@app.command()
def register(config: ConfigFile = "", as_json: AsJson = False) -> None:
    """Say once to the engine what this operator will watch, and see whether it is allowed."""
    with _operator(config, as_json=as_json) as (here, settings):
        from task_engine_operator.running import register as register_operator  # noqa: PLC0415

        found: dict[str, Any] = dict(register_operator(settings, os.environ, VERSION))
        chains = ", ".join(str(chain) for chain in found.get("supportedChainIds", []))
        here.show(found, lambda: f"{found.get('address')} is registered for chains {chains}")


@app.command()
def checks(config: ConfigFile = "", as_json: AsJson = False) -> None:
    """List what the engine has to watch on the settings' chains."""
    with _operator(config, as_json=as_json) as (here, settings):
        from task_engine_operator.running import checks as read_checks  # noqa: PLC0415

        found: list[Any] = read_checks(settings, os.environ)
        here.show(found, lambda: _table(found))


def _table(found: list[Any]) -> Table:
    table = Table("chain", "check", "kind", "what", box=None)
    for check in found:
        what = f"every {check['interval']} blocks" if check["kind"] == "block" else "events"
        if check["kind"] == "event":
            addresses = sorted({a for query in check["queries"] for a in query["addresses"]})
            what = ", ".join(addresses[:3]) or "any contract"
            what += f" and {len(addresses) - 3} more" if len(addresses) > 3 else ""
        table.add_row(str(check["chainId"]), check["id"], check["kind"], what)
    return table


@contextmanager
def _operator(file: str, *, as_json: bool) -> Iterator[tuple[Session, OperatorConfig]]:
    """The session and the operator's settings; its failures end the command as any other's do."""
    with session(as_json, Settings()) as here:
        try:
            from task_engine.errors import EngineError, Unavailable  # noqa: PLC0415

            from task_engine_operator.config import ConfigError, load_config  # noqa: PLC0415
        except ImportError as error:
            text = "an operator needs the engine's own package: see docs/operators.md"
            raise InputError(text) from error
        try:
            yield here, load_config(file, os.environ)
        except ConfigError as error:
            for problem in error.problems:
                here.errors.print(f"✗ {problem}", markup=False, soft_wrap=True)
            raise typer.Exit(ExitCode.USAGE) from error
        except EngineError as error:
            here.errors.print(f"✗ {error.message}", markup=False, soft_wrap=True)
            unreachable = isinstance(error, Unavailable)
            code = ExitCode.UNREACHABLE if unreachable else ExitCode.REFUSED
            raise typer.Exit(code) from error
