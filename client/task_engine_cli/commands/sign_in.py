"""Signing in, and what the command line remembers."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from task_engine_cli.failures import InputError
from task_engine_cli.keys import KeySource
from task_engine_cli.options import AsJson
from task_engine_cli.printable import printable
from task_engine_cli.session import session, sign_in
from task_engine_cli.settings import (
    KEY_VARIABLE,
    URL_VARIABLE,
    Settings,
    effective_settings,
    settings_file,
    store_settings,
    stored_settings,
)


def login(
    url: Annotated[str, typer.Option(help="The API's address; it ends in /api/v1.")] = "",
    key_file: Annotated[
        str, typer.Option("--key-file", help="File with the key: hex, or a keystore.")
    ] = "",
    env: Annotated[
        str, typer.Option("--env", help=f"Variable with the key, such as {KEY_VARIABLE}.")
    ] = "",
    chain_id: Annotated[
        int, typer.Option(min=1, help="The chain that calls default to.")
    ] = 11_155_111,
    as_json: AsJson = False,
) -> None:
    """Sign in by a wallet's key. Where the key is will be remembered, the key itself never is."""
    with session(as_json, Settings()) as here:
        stored = stored_settings()
        address = (url or os.environ.get(URL_VARIABLE) or stored.url).rstrip("/")
        if not address:
            raise InputError("give the API's address: --url URL")
        same = stored if address == stored.url else Settings()
        key = _key(key_file, env, same)
        signed = sign_in(replace(same, url=address, chain_id=chain_id), key)
        if signed.owner != stored.owner:
            signed = replace(signed, wallet="")
            store_settings(signed)
        here.show(
            {"owner": signed.owner, "expiresAt": signed.expires_at, "url": signed.url},
            lambda: Text(f"signed in as {signed.owner} until {printable(signed.expires_at)}"),
        )


def logout(as_json: AsJson = False) -> None:
    """Forget the session and where the key is."""
    with session(as_json, Settings()) as here:
        stored = stored_settings()
        store_settings(Settings(url=stored.url, chain_id=stored.chain_id))
        here.show({"signedIn": False}, lambda: Text("signed out"))


def config(
    url: Annotated[str, typer.Option(help="Use another address; signs out.")] = "",
    wallet: Annotated[str, typer.Option(help="The wallet that new tasks run as.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the settings, or change them."""
    with session(as_json, Settings()) as here:
        changed = stored = stored_settings()
        if url and url.rstrip("/") != stored.url:
            changed = Settings(url=url.rstrip("/"), chain_id=stored.chain_id)
        if wallet:
            changed = replace(changed, wallet=wallet)
        if changed != stored:
            store_settings(changed)
        shown = {**asdict(effective_settings()), "file": str(settings_file())}
        shown["token"] = "set" if shown["token"] else ""
        here.show(shown, lambda: _facts(shown))


def _key(key_file: str, variable: str, remembered: Settings) -> KeySource:
    """Given here, else remembered for this address, else in the usual variable."""
    if key_file and variable:
        raise InputError("give either --key-file or --env")
    if key_file:
        return KeySource(file=str(Path(key_file).expanduser().absolute()))
    if variable:
        return KeySource(variable=variable)
    known = KeySource(remembered.key_file, remembered.key_env)
    if known.known:
        return known
    if os.environ.get(KEY_VARIABLE):
        return KeySource(variable=KEY_VARIABLE)
    raise InputError(f"give a key: --key-file FILE, or --env NAME of a variable ({KEY_VARIABLE})")


def _facts(values: dict[str, object]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in values.items():
        table.add_row(Text(name.replace("_", " "), "dim"), Text(printable(str(value))))
    return table
