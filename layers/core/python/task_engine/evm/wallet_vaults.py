"""What smart wallets hold and pay outside of tasks."""

from __future__ import annotations

from collections.abc import Callable

from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.chains import Chains
from task_engine.evm.entry_point import ENTRY_POINTS
from task_engine.evm.orders import Operations, Order
from task_engine.evm.wallet_writer import WalletWriter
from task_engine.evm.wallets.provider import TxCall
from task_engine.evm.words import address_word, call_data, word
from task_engine.model.operation import Operation
from task_engine.model.payment import Payment


class WalletVaults:
    """Implements Vaults."""

    def __init__(
        self, chains: Chains, operations: Operations, writer: Callable[[], WalletWriter]
    ) -> None:
        self._chains = chains
        self._operations = operations
        self._writer = writer

    def holds(self, chain_id: int, wallet: str, token: str) -> int:
        """One call; raises NodeError, RpcError."""
        rpc = self._chains.rpc(chain_id)
        if not token:
            return _number(rpc.call("eth_getBalance", wallet, "latest"))
        data = "0x" + call_data("balanceOf(address)", address_word(wallet)).hex()
        return _number(rpc.call("eth_call", {"to": token, "data": data}, "latest"))

    def pays_for_gas(self, chain_id: int) -> bool:
        """Whether a paymaster does."""
        return bool(self._chains.chain(chain_id).paymaster)

    def nonce(self, chain_id: int, wallet: str) -> int:
        """Of key 0, by the chain's EntryPoint; raises NodeError, RpcError."""
        point = ENTRY_POINTS[self._chains.chain(chain_id).entry_point]
        data = "0x" + point.nonce_data(Address(wallet), 0).hex()
        rpc = self._chains.rpc(chain_id)
        return _number(rpc.call("eth_call", {"to": point.address, "data": data}, "latest"))

    def sent(self, name: str) -> Operation | None:
        """What was sent under `name`."""
        return self._operations.get(name)

    def send(self, name: str, owner: str, payment: Payment) -> Operation:
        """Once, whatever happens; raises NodeError while nothing was sent."""
        call = TxCall(Address(payment.recipient), payment.amount)
        if payment.token:
            arguments = (address_word(payment.recipient), word(payment.amount))
            data = call_data("transfer(address,uint256)", *arguments)
            call = TxCall(Address(payment.token), 0, data)
        order = Order(name, owner, payment.chain_id, payment.wallet, (call,))
        return self._writer().write(order)


def _number(answer: object) -> int:
    text = str(answer)
    if not text.startswith("0x") or len(text) < 3:
        raise NodeError("there is no such contract on this chain", code="INVALID_ADDRESS")
    return int(text, 16)
