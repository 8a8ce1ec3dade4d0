"""Taking coins and tokens out of a smart wallet, at once and by the owner's word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.errors import InvalidRequest, NodeError, Problem, Unavailable
from task_engine.ids import new_id
from task_engine.model.operation import Operation
from task_engine.model.payment import Payment
from task_engine.services.replies import reply_name
from task_engine.services.wallets import WalletService

NATIVE = "ETH"
MAX = "max"


class Vaults(Protocol):
    """Smart wallets on their chains."""

    def holds(self, chain_id: int, wallet: str, token: str) -> int:
        """Balance in the smallest unit; `token` "" = the chain's coin. Raises EngineError."""

    def pays_for_gas(self, chain_id: int) -> bool:
        """Whether somebody else than the wallet does."""

    def nonce(self, chain_id: int, wallet: str) -> int:
        """Of the wallet's next operation, by its EntryPoint; raises EngineError."""

    def sent(self, name: str) -> Operation | None:
        """What was sent under `name`."""

    def send(self, name: str, owner: str, payment: Payment) -> Operation:
        """Send the payment under `name`, once whatever happens; raises EngineError."""


@dataclass(frozen=True, slots=True)
class WithdrawRequest:
    """As asked for: `amount` is a decimal text or max, `token` ETH or an address. With a `key`
    another request of the same key is the same withdrawal."""

    chain_id: int
    recipient: str
    token: str
    amount: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What was asked for, and how far it came; `amount` is what is sent, in the smallest unit."""

    asked: WithdrawRequest
    amount: int
    operation: Operation


class WithdrawService:
    """Withdraws, and tells nonces."""

    def __init__(
        self,
        wallets: WalletService,
        vaults: Callable[[], Vaults],
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._wallets = wallets
        self._vaults = vaults
        self._chains = settings.chains
        self._clock = clock

    def nonce(self, owner: str, chain_id: int, address: str) -> int:
        """Raises NotFound for a wallet that is not the owner's, Unavailable (NONCE_UNAVAILABLE)
        when its chain can't be asked."""
        wallet = self._wallets.require(owner, chain_id, address)
        self._check_chain(chain_id, "NONCE_UNAVAILABLE")
        try:
            return self._vaults().nonce(chain_id, wallet.address)
        except NodeError as error:
            raise Unavailable(error.message, code="NONCE_UNAVAILABLE") from error

    def withdraw(self, owner: str, address: str, asked: WithdrawRequest) -> Withdrawal:
        """Send it. Raises NotFound for a wallet that is not the owner's, InvalidRequest when it
        holds too little or may not pay this, Unavailable (WITHDRAW_UNAVAILABLE) when its chain
        can't be reached; then nothing was sent."""
        wallet = self._wallets.require(owner, asked.chain_id, address)
        self._check_chain(asked.chain_id, "WITHDRAW_UNAVAILABLE")
        try:
            return self._send(owner, wallet.address, asked)
        except NodeError as error:
            if error.stable_code in ("RPC_NODE_ERROR", "SENDER_BUSY"):
                raise Unavailable(error.message, code="WITHDRAW_UNAVAILABLE") from error
            raise _bad("", error.message, "WITHDRAW_BAD_REQUEST") from error

    def _send(self, owner: str, wallet: str, asked: WithdrawRequest) -> Withdrawal:
        vaults, name = self._vaults(), self._name(owner, asked.key)
        known = vaults.sent(name) if asked.key else None
        if known is not None:
            return Withdrawal(asked, _amount(known), known)
        token = "" if asked.token.upper() == NATIVE else asked.token
        held = vaults.holds(asked.chain_id, wallet, token)
        if asked.amount.lower() == MAX:
            amount = held
            if not token and not vaults.pays_for_gas(asked.chain_id):
                text = "nobody else pays for gas here: name an amount and leave some for it"
                raise _bad("amount", text, "WITHDRAW_BAD_AMOUNT")
        else:
            amount = int(asked.amount)
        if amount > held or amount == 0:
            text = f"the wallet holds {held} of it: insufficient funds"
            raise _bad("amount", text, "WITHDRAW_INSUFFICIENT_FUNDS")
        payment = Payment(asked.chain_id, wallet, asked.recipient, token, amount)
        return Withdrawal(asked, amount, vaults.send(name, owner, payment))

    def _name(self, owner: str, key: str) -> str:
        if key:
            return reply_name("withdraw", owner, key)
        return f"withdraw#{new_id(self._clock.now_ms())}"

    def _check_chain(self, chain_id: int, code: str) -> None:
        chain = self._chains.get(chain_id)
        if chain is None or not chain.rpc_urls:
            raise Unavailable(f"chain {chain_id} can't be reached from here", code=code)


def _amount(operation: Operation) -> int:
    """Of the one call that a withdrawal makes: its value, or the last argument of `transfer`."""
    call = operation.calls[0]
    return call.value if call.data == "0x" else int(call.data[-64:], 16)


def _bad(path: str, text: str, code: str) -> InvalidRequest:
    return InvalidRequest(text, (Problem(code, path, text),), code=code)
