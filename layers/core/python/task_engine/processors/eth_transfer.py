"""ethTransfer: sends the chain's coin from the run's smart wallet."""

from __future__ import annotations

from dataclasses import replace

from task_engine.compiler.chain_names import chain_id_of
from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.orders import NotPrepared, Order
from task_engine.evm.simulated import SimulatedCall
from task_engine.evm.tokens import Rpcs
from task_engine.evm.wallets.provider import TxCall
from task_engine.model.execution import ChainUse, Outcome, StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.operation import Operation, OperationStatus
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.contract_config import checked_address, sender_of
from task_engine.processors.rest_config import invalid, required_text
from task_engine.processors.templated import Templated
from task_engine.processors.write_ports import BUNDLER, SIMULATOR, WritePorts
from task_engine.processors.write_result import REVERTED, step_error
from task_engine.processors.write_waits import FOR_GOOD, not_prepared, pause_seconds

_MAX = "max"
_PLAIN_GAS = 21_000
# Wei per gas where nobody asks the chain; the price list of the published service.
_PRICES = {1: 5 * 10**9, 11155111: 5 * 10**8, 8453: 5 * 10**7, 84532: 10**7}
_OTHER_PRICE = 5 * 10**8


class EthTransferProcessor:
    """`<node>.data` is `{transfer: {from, to, value}}` with the wei as a decimal text."""

    def __init__(self, ports: WritePorts, rpcs: Rpcs, sponsored: frozenset[int]) -> None:
        self._ports = ports
        self._rpcs = rpcs
        self._sponsored = sponsored

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Raises NodeError for a configuration that can't work: then nothing was sent."""
        chain_id = chain_id_of(node.config.get("chainId"))
        if chain_id is None:
            raise NodeError("chainId is required", code="MISSING_REQUIRED_FIELD")
        fields = Templated(scope)
        destination = fields.text("destination", _text(node, "destination"))
        amount = fields.text("amount", _text(node, "amount")).strip()
        fields.check()
        to = checked_address(destination, "destination")
        wallet = sender_of(scope)
        if not wallet:
            text = "settings.runner is required: the smart wallet that pays"
            raise NodeError(text, code="MISSING_REQUIRED_FIELD")
        value = self._value(amount, chain_id)
        scope.calls.spend(1)
        if scope.simulated:
            value = self._balance(chain_id, wallet) if value is None else value
            return self._simulate(scope, chain_id, SimulatedCall(wallet, to, value))
        return self._send(node, scope, (chain_id, wallet, to, value))

    def replay_safe(self, node: PlanNode) -> bool:  # noqa: ARG002 - as any processor
        """What was begun is found by its name: it is never sent twice."""
        return True

    def _value(self, amount: str, chain_id: int) -> int | None:
        """In wei; None for all that the wallet holds."""
        if amount.lower() != _MAX:
            if not amount.isdecimal() or not amount.isascii() or int(amount) >= 2**256:
                raise invalid("amount must be wei as a whole decimal number, or MAX")
            return int(amount)
        if chain_id not in self._sponsored:
            raise invalid(
                "amount MAX needs gas that somebody else pays, and nobody does on chain"
                f" {chain_id}: leave a gas reserve and name the amount"
            )
        return None

    def _balance(self, chain_id: int, wallet: str) -> int:
        answer = self._rpcs.rpc(chain_id).call("eth_getBalance", wallet, "latest")
        balance = int(str(answer), 16)
        if balance == 0:
            raise NodeError(f"the wallet {wallet} holds nothing", code="INSUFFICIENT_BALANCE")
        return balance

    def _simulate(self, scope: Scope, chain_id: int, call: SimulatedCall) -> Outcome:
        result = self._ports.simulator.simulate(scope.run_key, chain_id, call, scope.overrides)
        price = _PRICES.get(chain_id, _OTHER_PRICE)
        used = result.gas_used or _PLAIN_GAS
        use = ChainUse(chain_id, SIMULATOR, True, used, used * price)
        error = None
        if not result.success:
            error = StepError("SIMULATION_ERROR", result.reason or "the transfer would revert")
        return Outcome(
            data=_data(call.sender, call.to, call.value),
            has_data=error is None,
            error=error,
            metadata={**_gas(use), "simulated": True},
            chain=use,
        )

    def _send(
        self, node: PlanNode, scope: Scope, transfer: tuple[int, str, Address, int | None]
    ) -> Outcome:
        chain_id, wallet, to, value = transfer
        origin = scope.origin
        if origin is None:
            raise invalid("nothing lasting may be done here: simulate the transfer")
        name = f"{origin.execution_id}#{node.id}#0"
        returns = bool(origin.task_id)
        calls = (TxCall(to, value or 0),)
        whole, use = value is None, ChainUse(chain_id, BUNDLER)
        order = Order(name, origin.owner, chain_id, wallet, calls, whole=whole, returns=returns)
        try:
            operation = self._ports.writer().write(order)
        except NotPrepared as error:
            return not_prepared(error, use, self._ports.now_ms())
        except NodeError as error:
            return Outcome(has_data=False, error=step_error(error), chain=use)
        outcome = _outcome(operation)
        if operation.status.final:
            return outcome
        wait = pause_seconds(operation.created_at, self._ports.now_ms())
        return outcome if wait is FOR_GOOD else replace(outcome, wait_seconds=wait)


def _outcome(operation: Operation) -> Outcome:
    sent = operation.calls[0]
    receipt = operation.receipt if isinstance(operation.receipt, dict) else {}
    used, cost = receipt.get("actualGasUsed"), receipt.get("actualGasCost")
    use = ChainUse(
        operation.chain_id,
        BUNDLER,
        gas_used=int(used) if isinstance(used, str) else 0,
        gas_cost=int(cost) if isinstance(cost, str) else 0,
    )
    error = None
    if operation.status.final and operation.status is not OperationStatus.CONFIRMED:
        error = StepError(REVERTED, operation.error or "the transfer was reverted")
    metadata: dict[str, JsonValue] = {
        "userOpHash": operation.hash,
        "receiptStatus": operation.status.word,
        "transactionHash": receipt.get("transactionHash", "pending"),
        **_gas(use),
    }
    return Outcome(
        data=_data(operation.wallet, sent.to, sent.value),
        has_data=error is None,
        error=error,
        metadata=metadata,
        chain=use,
    )


def _data(wallet: str, to: str, value: int) -> JsonValue:
    return {"transfer": {"from": Address(wallet), "to": Address(to), "value": str(value)}}


def _gas(use: ChainUse) -> dict[str, JsonValue]:
    return {
        "gasUsed": str(use.gas_used),
        "gasPrice": str(use.gas_price),
        "totalGasCost": str(use.gas_cost),
    }


def _text(node: PlanNode, field: str) -> str:
    given = node.config.get(field)
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    return required_text(given, field)
