"""Routes of smart wallets."""

from __future__ import annotations

from task_engine.api.application import Application, Gate
from task_engine.api.http import Reply, Request
from task_engine.api.request_body import Fields, json_object
from task_engine.errors import InvalidRequest, Problem
from task_engine.model.json_value import JsonValue
from task_engine.model.wallet import Wallet
from task_engine.services.wallets import WalletCounts, WalletService


class Wallets:
    """Endpoints over the use cases."""

    def __init__(self, wallets: WalletService) -> None:
        self._wallets = wallets

    def list(self, request: Request) -> Reply:
        """GET /wallets"""
        found = self._wallets.list_wallets(request.principal.owner, _chain_id(request))
        return Reply(200, {"data": [wallet_json(wallet) for wallet in found]})

    def create(self, request: Request) -> Reply:
        """POST /wallets: 201 new, 200 known"""
        caller = request.principal
        fields = Fields(json_object(request.body))
        salt = fields.number_text("salt", required=True)
        factory = fields.text("factoryAddress")
        chain_id = fields.integer("chainId", least=1) or caller.chain_id
        fields.finish()
        wallet, new = self._wallets.create_wallet(caller.owner, chain_id, salt, factory)
        return Reply(201 if new else 200, self._with_counts(wallet))

    def update(self, request: Request) -> Reply:
        """PATCH /wallets/{address}"""
        fields = Fields(json_object(request.body))
        hidden = fields.flag("isHidden", required=True)
        fields.finish()
        wallet = self._wallets.set_hidden(
            request.principal.owner, _chain_id(request), request.path["address"], hidden
        )
        return Reply(200, self._with_counts(wallet))

    def _with_counts(self, wallet: Wallet) -> JsonValue:
        counts = self._wallets.counts(wallet.owner, wallet.address)
        return {**wallet_json(wallet), **_counts_json(counts)}


def _chain_id(request: Request) -> int:
    text = request.one("chainId")
    if not text:
        return request.principal.chain_id
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 2**63:
        problem = Problem("WALLETS_BAD_CHAIN_ID", "chainId", "must be a positive whole number")
        raise InvalidRequest("the chain is unknown", (problem,))
    return int(text)


def wallet_json(wallet: Wallet) -> dict[str, JsonValue]:
    """A Wallet without its counts."""
    return {
        "address": wallet.address,
        "salt": wallet.salt,
        "factoryAddress": wallet.factory,
        "isHidden": wallet.hidden,
    }


def _counts_json(counts: WalletCounts) -> dict[str, JsonValue]:
    return {
        "totalWorkflowCount": counts.total,
        "enabledWorkflowCount": counts.enabled,
        "completedWorkflowCount": counts.completed,
        "failedWorkflowCount": counts.failed,
        "disabledWorkflowCount": counts.disabled,
    }


def build_app(gate: Gate, wallets: WalletService) -> Application:
    """All routes below /wallets."""
    on = Wallets(wallets)
    app = Application(gate)
    app.add("GET", "/wallets", on.list)
    app.add("POST", "/wallets", on.create)
    app.add("PATCH", "/wallets/<address>", on.update)
    return app
