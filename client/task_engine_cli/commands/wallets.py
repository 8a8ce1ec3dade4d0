"""Smart wallets: list and make, hide, nonce, withdraw."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from task_engine_cli.failures import RunFailed
from task_engine_cli.options import AsJson, ChainId, Yes
from task_engine_cli.printable import printable
from task_engine_cli.session import session
from task_engine_cli.views import wallet_table, withdrawal_view

app = typer.Typer(no_args_is_help=True, help="One of your smart wallets.")
ETHER = "ETH"
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="Address of the wallet.")]


def list_wallets(
    create: Annotated[str, typer.Option(metavar="SALT", help="Make the wallet of a salt.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Hidden ones too.")] = False,
    chain_id: ChainId = None,
    as_json: AsJson = False,
) -> None:
    """List the smart wallets."""
    with session(as_json) as here:
        if create:
            made = here.client.wallets.create(create, chain_id=chain_id)
            here.show(dict(made.raw), lambda: Text(printable(made.address)))
            return
        listed = here.client.wallets.list(chain_id=chain_id)
        found = [wallet for wallet in listed if every or not wallet.hidden]
        chosen = here.settings.wallet or (found[0].address if found else "")
        here.show([dict(w.raw) for w in found], lambda: wallet_table(found, chosen))


@app.command()
def nonce(address: Address, chain_id: ChainId = None, as_json: AsJson = False) -> None:
    """Show the next nonce."""
    with session(as_json) as here:
        found = here.client.wallets.nonce(address, chain_id=chain_id)
        here.show({"nonce": found}, lambda: Text(printable(found)))


@app.command()
def withdraw(
    address: Address,
    to: Annotated[str, typer.Option("--to", help="Address that receives it.")],
    amount: Annotated[str, typer.Option(help="In the token's smallest unit (wei), or max.")],
    token: Annotated[str, typer.Option(help="ETH, or the address of a token.")] = ETHER,
    chain_id: ChainId = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send ether or a token out of a wallet; asks first on a terminal. It is never sent twice."""
    with session(as_json) as here:
        if not yes and here.console.is_terminal and not as_json:
            typer.confirm(f"Send {amount} of {token} to {to}?", abort=True)
        sent = here.client.wallets.withdraw(address, to, amount, token=token, chain_id=chain_id)
        here.show(dict(sent), lambda: withdrawal_view(sent))
        if sent.get("status") == "failed":
            raise RunFailed


@app.command()
def hide(address: Address, chain_id: ChainId = None, as_json: AsJson = False) -> None:
    """Leave a wallet out of the list."""
    _set_hidden(address, True, chain_id, as_json)


@app.command()
def unhide(address: Address, chain_id: ChainId = None, as_json: AsJson = False) -> None:
    """Show a hidden wallet in the list again."""
    _set_hidden(address, False, chain_id, as_json)


def _set_hidden(address: str, hidden: bool, chain_id: int | None, as_json: bool) -> None:
    with session(as_json) as here:
        wallet = here.client.wallets.set_hidden(address, hidden, chain_id=chain_id)
        word = "hidden" if wallet.hidden else "shown"
        here.show(dict(wallet.raw), lambda: Text(f"{printable(wallet.address)} {word}"))
