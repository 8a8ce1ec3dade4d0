"""One node or trigger on its own, and the service's health."""

from __future__ import annotations

from rich.text import Text

from task_engine_cli.documents import parse_object, read_object
from task_engine_cli.failures import InputError, RunFailed
from task_engine_cli.options import AsJson, File, Variables
from task_engine_cli.printable import printable
from task_engine_cli.session import session
from task_engine_cli.views import result_view
from task_engine_client import Client


def run_node(file: File, variables: Variables = "", as_json: AsJson = False) -> None:
    """Run one node: a file with the node, or with `node`, `inputVariables` and `chainId`."""
    with session(as_json) as here:
        document = read_object(file)
        inputs: dict[str, object] = {}
        chain_id = None
        if isinstance(document.get("node"), dict):
            inputs = dict(document.get("inputVariables") or {})
            chain_id = document.get("chainId")
            document = document["node"]
        if variables:
            inputs.update(parse_object("--variables", variables))
        document.setdefault("id", document.get("name", "node"))
        result = here.client.nodes.run(document, variables=inputs, chain_id=chain_id)
        here.show(dict(result.raw), lambda: result_view(result))
        if not result.success:
            raise RunFailed


def run_trigger(file: File, variables: Variables = "", as_json: AsJson = False) -> None:
    """Show what a trigger would hand on if it fired now: a file with it, or with a whole task."""
    with session(as_json) as here:
        document = read_object(file)
        if isinstance(document.get("trigger"), dict):
            document = document["trigger"]
        document.setdefault("name", "trigger")
        inputs = parse_object("--variables", variables) if variables else None
        result = here.client.triggers.run(document, variables=inputs)
        here.show(dict(result.raw), lambda: result_view(result))
        if not result.success:
            raise RunFailed


def health(as_json: AsJson = False) -> None:
    """Whether the API answers, and its version; needs no session."""
    with session(as_json) as here:
        if not here.settings.url:
            raise InputError("no API is known: task-engine config --url URL")
        with Client(here.settings.url) as client:
            state = client.health()
        here.show(
            {"status": state.status, "version": state.version, "chainId": state.chain_id},
            lambda: Text(f"{printable(state.status)}, version {printable(state.version)}"),
        )
