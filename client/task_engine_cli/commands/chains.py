"""Chains as the service sees them: who watches them, what tokens say of themselves."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from task_engine_cli.failures import InputError
from task_engine_cli.options import AsJson, ChainId
from task_engine_cli.session import session
from task_engine_cli.settings import ASSERTION_VARIABLE
from task_engine_cli.views import operator_table, token_view
from task_engine_client import Client


def operators(as_json: AsJson = False) -> None:
    """List who watches the chains; needs no session."""
    with session(as_json) as here:
        if not here.settings.url:
            raise InputError("no API is known: task-engine config --url URL")
        with Client(here.settings.url) as client:
            found = client.operators.list()
        here.show([dict(row.raw) for row in found], lambda: operator_table(found))


def tokens(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The token's contract.")],
    chain_id: ChainId = None,
    as_json: AsJson = False,
) -> None:
    """Show a token's name, symbol and decimals; the API tells partners only."""
    with session(as_json) as here:
        if not here.settings.url:
            raise InputError("no API is known: task-engine config --url URL")
        assertion = os.environ.get(ASSERTION_VARIABLE, "")
        if not assertion:
            raise InputError(f"this is for partners: {ASSERTION_VARIABLE} must hold an assertion")
        with Client(here.settings.url, assertion=assertion) as client:
            found = client.tokens.get(address, chain_id=chain_id)
        here.show(dict(found.raw), lambda: token_view(found))
