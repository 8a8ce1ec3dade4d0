"""Operations made of orders: priced, paid for and signed."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.contract_code import NoContractCode
from task_engine.evm.entry_point import ENTRY_POINTS, EntryPoint, nonce_of
from task_engine.evm.eth_call import RpcRequest, quantity
from task_engine.evm.failures import RpcError
from task_engine.evm.orders import Order, WriterPorts
from task_engine.evm.signer import Signer
from task_engine.evm.user_operation import UserOperation
from task_engine.evm.wallets.cover import require_covered
from task_engine.evm.wallets.provider import WalletProvider
from task_engine.model.grant import Grant
from task_engine.model.operation import Operation, OperationCall

_NO_CODE = ("0x", None)
_Init: TypeAlias = "tuple[Address | None, bytes]"
"""The factory that deploys the wallet, and what it is given."""
_DEPLOYED: _Init = (None, b"")


class Preparation:
    """Of one controller key."""

    def __init__(self, ports: WriterPorts, controller: Signer) -> None:
        self._ports = ports
        self._controller = controller

    def prepare(self, order: Order) -> Operation:
        """The signed operation that carries it out; its nonce follows from the order's name.

        Raises NodeError: no wallet, no grant or one that does not cover the calls, calls that would
        revert, funds that are missing, a chain that does not answer.
        """
        ports = self._ports
        wallet = ports.wallet_of(order.owner, order.chain_id, order.wallet)
        provider = ports.factories.provider(order.chain_id, wallet.factory)
        grant = self._grant(order, provider)
        self._require_covered(grant, order)
        deployed, balance = self._seen(order)
        if order.whole:
            if balance == 0:
                text = f"the wallet {order.wallet} holds nothing"
                raise NodeError(text, code="INSUFFICIENT_BALANCE")
            order = order.moving(balance)
            self._require_covered(grant, order)
        init = _DEPLOYED if deployed else provider.init(Address(order.owner), int(wallet.salt))
        op = self._signed(order, init, provider, grant)
        return Operation(
            id=order.id,
            owner=order.owner,
            chain_id=order.chain_id,
            wallet=wallet.address,
            hash=self.hash_of(op, order.chain_id),
            user_op=op.wire(),
            calls=tuple(
                OperationCall(call.to, call.value, "0x" + call.data.hex()) for call in order.calls
            ),
            created_at=ports.clock.now_ms(),
        )

    def _seen(self, order: Order) -> tuple[bool, int]:
        """Whether the wallet is deployed, and what it holds. Raises NoContractCode where a call
        with data would go to an address without a contract: it would succeed and do nothing."""
        called = (call.to for call in order.calls if call.data)
        targets = list(dict.fromkeys((*called, *order.contracts)))
        rpc = self._ports.chains.rpc(order.chain_id)
        balance_call: RpcRequest = ("eth_getBalance", [order.wallet, "latest"])
        code_calls: list[RpcRequest] = [
            ("eth_getCode", [address, "latest"]) for address in (order.wallet, *targets)
        ]
        balance, own, *codes = rpc.batch([balance_call, *code_calls])
        for answer in (own, *codes):
            if isinstance(answer, RpcError):
                raise answer
        for target, code in zip(targets, codes, strict=True):
            if code in _NO_CODE:
                raise NoContractCode(target, order.chain_id)
        return own not in _NO_CODE, quantity(balance)

    def hash_of(self, op: UserOperation, chain_id: int) -> str:
        """Its hash on that chain, as 0x-hex."""
        return "0x" + op.hash(self._entry_point(chain_id), chain_id).hex()

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
        return grant

    def _require_covered(self, grant: Grant | None, order: Order) -> None:
        if grant is not None:
            require_covered(grant, order.calls, self._ports.clock.now_ms() // 1000)

    def _signed(
        self, order: Order, init: _Init, provider: WalletProvider, grant: Grant | None
    ) -> UserOperation:
        lane = self._ports.lanes(order.chain_id)
        op = _unsigned(order, init, provider, grant)
        if lane.paymaster is not None:
            op = lane.paymaster.stub(op)
        op = lane.estimator.estimate(op)
        if order.gas_limit:
            op = replace(op, call_gas_limit=order.gas_limit)
        if lane.paymaster is not None:
            op = lane.paymaster.sponsor(op)
        digest = op.hash(self._entry_point(order.chain_id), order.chain_id)
        return replace(op, signature=provider.sign(digest, self._controller, grant))

    def _entry_point(self, chain_id: int) -> EntryPoint:
        return ENTRY_POINTS[self._ports.chains.chain(chain_id).entry_point]


def _unsigned(
    order: Order, init: _Init, provider: WalletProvider, grant: Grant | None
) -> UserOperation:
    """With a dummy signature, as estimates want it."""
    factory, factory_data = init
    return UserOperation(
        sender=Address(order.wallet),
        nonce=nonce_of(provider.nonce_key(order.id, grant)),
        call_data=provider.encode(order.calls, grant),
        factory=factory,
        factory_data=factory_data,
        signature=provider.dummy_signature(grant),
    )
