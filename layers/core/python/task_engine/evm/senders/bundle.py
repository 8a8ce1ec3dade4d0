"""Transactions of our own account that carry one operation to EntryPoint."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.evm.entry_point import EntryPoint
from task_engine.evm.eth_call import quantity
from task_engine.evm.failures import RpcError
from task_engine.evm.gas import FEE_CALLS, Fees, fees_of, transaction_gas_limit
from task_engine.evm.ports import RpcPort
from task_engine.evm.senders.failures import SenderUnfunded, preflight_failure
from task_engine.evm.senders.record import Attempt
from task_engine.evm.signer import Signer
from task_engine.evm.transaction import Transaction, sign_transaction
from task_engine.evm.user_operation import UserOperation
from task_engine.model.json_value import JsonValue
from task_engine.observability import stage_metric


@dataclass(frozen=True, slots=True)
class Place:
    """Where a transaction goes: the nonce, what it offers, and the head when that was found."""

    nonce: int
    fees: Fees
    block: int


class Bundles:
    """Of one chain, EntryPoint and key."""

    def __init__(self, rpc: RpcPort, entry_point: EntryPoint, signer: Signer) -> None:
        self._rpc = rpc
        self._entry_point = entry_point
        self._signer = signer

    def place(self, op: UserOperation) -> Place:
        """The account's next nonce and prices of the market; one round trip.

        Raises OperationRefused when EntryPoint would refuse the operation now, SenderUnfunded when
        the account can't pay for the transaction in advance, RpcError.
        """
        own = self._signer.address
        data, gas = self._content(op)
        call: JsonValue = {
            "from": own,
            "to": self._entry_point.address,
            "data": "0x" + data.hex(),
            "gas": hex(gas),
        }
        block, tip, count, balance, tried = self._rpc.batch(
            [
                *FEE_CALLS,
                ("eth_getTransactionCount", [own, "pending"]),
                ("eth_getBalance", [own, "latest"]),
                ("eth_call", [call, "latest"]),
            ]
        )
        if isinstance(tried, RpcError):
            raise preflight_failure(tried) from tried
        fees = fees_of(block, tip)
        funds, needed = quantity(balance), gas * fees.max_fee
        stage_metric("SendsLeft", funds // max(1, needed), chain=str(self._rpc.chain_id))
        if funds < needed:
            raise SenderUnfunded(
                f"the sending account {own} has {funds} wei on chain {self._rpc.chain_id}; "
                f"a transaction needs {needed}"
            )
        return Place(quantity(count), fees, _number_in(block))

    def attempt(self, op: UserOperation, place: Place) -> Attempt:
        """The signed transaction for that place; one signature."""
        data, gas = self._content(op)
        signed = sign_transaction(
            Transaction(
                chain_id=self._rpc.chain_id,
                nonce=place.nonce,
                to=self._entry_point.address,
                data=data,
                gas_limit=gas,
                max_fee=place.fees.max_fee,
                priority_fee=place.fees.priority_fee,
            ),
            self._signer,
        )
        return Attempt(
            hash="0x" + signed.hash.hex(),
            nonce=place.nonce,
            max_fee=place.fees.max_fee,
            priority_fee=place.fees.priority_fee,
            block=place.block,
            raw="0x" + signed.raw.hex(),
        )

    def _content(self, op: UserOperation) -> tuple[bytes, int]:
        data = self._entry_point.handle_ops_data([op], self._signer.address)
        return data, transaction_gas_limit(op, data)


def _number_in(block: object) -> int:
    if not isinstance(block, dict):
        raise RpcError("the chain's node answered with no block", may_retry=True)
    return quantity(block["number"])
