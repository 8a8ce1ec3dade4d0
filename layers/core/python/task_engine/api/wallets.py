"""Routes of smart wallets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from task_engine.api.access import Access
from task_engine.api.application import Application, Gate
from task_engine.api.chain_query import chain_id_of
from task_engine.api.http import Reply, Request
from task_engine.api.policies import add_routes as add_policy_routes
from task_engine.api.request_body import Fields, json_object
from task_engine.api.tokens import Tokens
from task_engine.api.tokens import add_routes as add_token_routes
from task_engine.api.user_operations import add_routes as add_operation_routes
from task_engine.api.withdrawals import withdraw_request, withdrawal_json
from task_engine.model.json_value import JsonValue
from task_engine.model.wallet import Wallet
from task_engine.services.policies import PolicyService
from task_engine.services.user_operations import UserOperationService
from task_engine.services.wallets import WalletCounts, WalletService
from task_engine.services.withdrawals import WithdrawService


class Wallets:
    """Endpoints over the use cases."""

    def __init__(self, wallets: WalletService, withdrawals: WithdrawService) -> None:
        self._wallets = wallets
        self._withdrawals = withdrawals

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
            request.principal.owner,
            _chain_id(request),
            request.path["address"],
            hidden,
        )
        return Reply(200, self._with_counts(wallet))

    def nonce(self, request: Request) -> Reply:
        """GET /wallets/{address}:getNonce"""
        chain_id = _chain_id(request)
        owner, address = request.principal.owner, request.path["address"]
        return Reply(200, {"nonce": str(self._withdrawals.nonce(owner, chain_id, address))})

    def withdraw(self, request: Request) -> Reply:
        """POST /wallets/{address}:withdraw; a key makes a repeat the same withdrawal"""
        asked = withdraw_request(request)
        owner, address = request.principal.owner, request.path["address"]
        sent = self._withdrawals.withdraw(owner, address, asked)
        return Reply(200, withdrawal_json(sent))

    def _with_counts(self, wallet: Wallet) -> JsonValue:
        counts = self._wallets.counts(wallet.owner, wallet.address)
        return {**wallet_json(wallet), **_counts_json(counts)}


def _chain_id(request: Request) -> int:
    return chain_id_of(request, "WALLETS_BAD_CHAIN_ID")


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


@dataclass(frozen=True, slots=True)
class WalletServices:
    """The use cases behind the routes of wallets, their policies, operations and tokens."""

    wallets: WalletService
    withdrawals: WithdrawService
    policies: PolicyService
    operations: UserOperationService
    tokens: Callable[[], Tokens]


def build_app(gate: Gate, services: WalletServices) -> Application:
    """All routes below /wallets, /userops and /tokens."""
    app = Application(gate)
    add_policy_routes(app, services.policies)
    on = Wallets(services.wallets, services.withdrawals)
    app.add("GET", "/wallets", on.list, access=Access.OWNER_OR_PARTNER)
    app.add("POST", "/wallets", on.create, access=Access.OWNER_OR_PARTNER)
    app.add("GET", "/wallets/<address>:getNonce", on.nonce)
    app.add("POST", "/wallets/<address>:withdraw", on.withdraw)
    app.add("PATCH", "/wallets/<address>", on.update)
    add_operation_routes(app, services.operations)
    add_token_routes(app, services.tokens)
    return app
