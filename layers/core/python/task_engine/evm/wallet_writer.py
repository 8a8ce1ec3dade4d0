"""Writes through smart wallets: prepared once, remembered before they are sent, sent once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from task_engine.clock import Clock
from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.chains import Chains
from task_engine.evm.entry_point import ENTRY_POINTS, EntryPoint, nonce_of
from task_engine.evm.estimate import Estimator
from task_engine.evm.paymasters.ports import Paymaster
from task_engine.evm.senders.ports import Outcome, Sender
from task_engine.evm.senders.receipt import Receipt
from task_engine.evm.senders.record import SentRecord
from task_engine.evm.signer import Signer
from task_engine.evm.user_operation import UserOperation
from task_engine.evm.wallets.cover import require_covered
from task_engine.evm.wallets.factories import WalletFactories
from task_engine.evm.wallets.provider import TxCall, WalletProvider
from task_engine.model.grant import Grant
from task_engine.model.json_value import JsonValue
from task_engine.model.operation import Operation, OperationCall, OperationStatus
from task_engine.model.wallet import Wallet

# Seconds between looks before a function answers that it has to be called again: fast chains are
# done by then, and a look costs less than another walk through the state machine.
_LOOKS = (0.05, 0.15, 0.3, 0.5)


class Operations(Protocol):
    """Records of operations."""

    def get(self, operation_id: str) -> Operation | None:
        """None when it was never prepared."""

    def create(self, operation: Operation) -> Operation:
        """Write it unless its id is known; returns what stands there then."""

    def save(self, operation: Operation) -> Operation:
        """Write how far it came unless it is final; returns what stands there then."""


class ActiveGrants(Protocol):
    """Grants by wallet."""

    def active(self, owner: str, chain_id: int, wallet: str) -> Grant | None:
        """The one that the controller may use."""


class Lane(Protocol):
    """How operations of one chain are priced, paid for and sent."""

    @property
    def sender(self) -> Sender:
        """Who brings them on chain."""

    @property
    def estimator(self) -> Estimator:
        """Who knows what they need."""

    @property
    def paymaster(self) -> Paymaster | None:
        """Who pays, None = the wallet."""


WalletOf = Callable[[str, int, str], Wallet]
"""The owner's wallet at an address of a chain; raises NotFound for another owner's."""


@dataclass(frozen=True, slots=True)
class WriterPorts:
    """What a writer works with; `lanes` gives a chain's lane."""

    operations: Operations
    grants: ActiveGrants
    wallet_of: WalletOf
    chains: Chains
    factories: WalletFactories
    lanes: Callable[[int], Lane]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Order:
    """Calls that a wallet is to make, all or none, under a name that takes effect once only.

    `gas_limit` 0 = as estimated.
    """

    id: str
    owner: str
    chain_id: int
    wallet: str
    calls: tuple[TxCall, ...]
    gas_limit: int = 0


class WalletWriter:
    """Carries orders out. Whatever dies in between: an order's operation is stored before it is
    sent, and its nonce belongs to the order's name, so the chain takes it once at most."""

    def __init__(
        self, ports: WriterPorts, controller: Signer, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._ports = ports
        self._controller = controller
        self._sleep = sleep

    def write(self, order: Order) -> Operation:
        """How far the order is; call again while that is not final.

        Raises NodeError while nothing was sent: no wallet, no grant or one that does not cover the
        calls, calls that would revert, funds that are missing, a chain that does not answer.
        """
        operation = self._ports.operations.get(order.id)
        if operation is None:
            operation = self._ports.operations.create(self._prepared(order))
        if operation.status.final:
            return operation
        return self._advance(operation)

    def look(self, operation: Operation) -> Operation:
        """The same operation as the chain sees it now; sends nothing."""
        if operation.status.final or not operation.sent:
            return operation
        record = SentRecord.from_json(dict(operation.sent))
        sender = self._ports.lanes(operation.chain_id).sender
        return self._settled(operation, sender.look(_of(operation), record))

    def _advance(self, operation: Operation) -> Operation:
        sender = self._ports.lanes(operation.chain_id).sender
        stored = operation

        def save(record: SentRecord) -> None:
            nonlocal stored
            sent = replace(
                stored,
                sent=record.to_json(),
                status=OperationStatus.SENT,
                updated_at=self._ports.clock.now_ms(),
            )
            stored = self._ports.operations.save(sent)

        record = SentRecord.from_json(dict(operation.sent)) if operation.sent else None
        outcome = sender.send(_of(operation), record, save)
        for pause in _LOOKS:
            if outcome.status is not OperationStatus.SENT:
                break
            self._sleep(pause)
            outcome = sender.look(_of(operation), outcome.record)
        return self._settled(stored, outcome)

    def _settled(self, operation: Operation, outcome: Outcome) -> Operation:
        error = outcome.reason
        if outcome.error is not None:
            error = outcome.error.message
        if outcome.status is OperationStatus.CONFIRMED:
            error = ""
        found = replace(
            operation,
            status=outcome.status,
            sent=outcome.record.to_json(),
            receipt=None if outcome.receipt is None else receipt_json(outcome.receipt),
            error=error,
            updated_at=self._ports.clock.now_ms(),
        )
        if found == replace(operation, updated_at=found.updated_at):
            return operation
        return self._ports.operations.save(found)

    def _prepared(self, order: Order) -> Operation:
        ports = self._ports
        wallet = ports.wallet_of(order.owner, order.chain_id, order.wallet)
        provider = ports.factories.provider(order.chain_id, wallet.factory)
        grant = self._grant(order, provider)
        op = self._signed(order, wallet, provider, grant)
        point = self._entry_point(order.chain_id)
        return Operation(
            id=order.id,
            owner=order.owner,
            chain_id=order.chain_id,
            wallet=wallet.address,
            hash="0x" + op.hash(point, order.chain_id).hex(),
            user_op=op.wire(),
            calls=tuple(
                OperationCall(call.to, call.value, "0x" + call.data.hex()) for call in order.calls
            ),
            created_at=ports.clock.now_ms(),
        )

    def _grant(self, order: Order, provider: WalletProvider) -> Grant | None:
        """The grant to act by; None where the controller owns the wallet. Raises NodeError."""
        if order.owner == self._controller.address:
            return None
        if not provider.grants:
            raise NodeError(
                f"{provider.name} wallets act by their owner's key alone, which the engine has not",
                code="SESSION_POLICY_REQUIRED",
            )
        grant = self._ports.grants.active(order.owner, order.chain_id, order.wallet)
        if grant is None:
            raise NodeError(
                f"no session policy lets the engine act for the wallet {order.wallet}: prepare one,"
                " sign it and submit it",
                code="SESSION_POLICY_REQUIRED",
            )
        if grant.signer != self._controller.address:
            raise NodeError(
                "the session policy was given to another key than this deployment's: give it anew",
                code="SESSION_POLICY_REQUIRED",
            )
        require_covered(grant, order.calls, self._ports.clock.now_ms() // 1000)
        return grant

    def _signed(
        self, order: Order, wallet: Wallet, provider: WalletProvider, grant: Grant | None
    ) -> UserOperation:
        lane = self._ports.lanes(order.chain_id)
        op = self._unsigned(order, wallet, provider, grant)
        if lane.paymaster is not None:
            op = lane.paymaster.stub(op)
        op = lane.estimator.estimate(op)
        if order.gas_limit:
            op = replace(op, call_gas_limit=order.gas_limit)
        if lane.paymaster is not None:
            op = lane.paymaster.sponsor(op)
        digest = op.hash(self._entry_point(order.chain_id), order.chain_id)
        return replace(op, signature=provider.sign(digest, self._controller, grant))

    def _unsigned(
        self, order: Order, wallet: Wallet, provider: WalletProvider, grant: Grant | None
    ) -> UserOperation:
        """With a dummy signature, as estimates want it."""
        deployed = self._ports.chains.rpc(order.chain_id).call(
            "eth_getCode", wallet.address, "latest"
        )
        factory, factory_data = None, b""
        if deployed in ("0x", None):
            factory, factory_data = provider.init(Address(order.owner), int(wallet.salt))
        return UserOperation(
            sender=Address(wallet.address),
            nonce=nonce_of(provider.nonce_key(order.id, grant)),
            call_data=provider.encode(order.calls, grant),
            factory=factory,
            factory_data=factory_data,
            signature=provider.dummy_signature(grant),
        )

    def _entry_point(self, chain_id: int) -> EntryPoint:
        return ENTRY_POINTS[self._ports.chains.chain(chain_id).entry_point]


def _of(operation: Operation) -> UserOperation:
    return UserOperation.from_wire(operation.user_op)


def receipt_json(receipt: Receipt) -> dict[str, JsonValue]:
    """A receipt to keep: the transaction's, with the logs of the operation alone, and what is its
    own (`userOpHash`, `success`, `actualGasCost` and `actualGasUsed` as decimal texts,
    `revertReason` as 0x-hex)."""
    return {
        **receipt.transaction,
        "logs": [dict(log) for log in receipt.logs],
        "userOpHash": receipt.user_op_hash,
        "success": receipt.success,
        "actualGasCost": str(receipt.actual_gas_cost),
        "actualGasUsed": str(receipt.actual_gas_used),
        "revertReason": "0x" + receipt.revert_reason.hex(),
    }
