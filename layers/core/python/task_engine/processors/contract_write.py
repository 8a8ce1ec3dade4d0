"""contractWrite: methods of a contract, called through the run's smart wallet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from task_engine.errors import NodeError
from task_engine.evm.abi.formatting import apply_to_fields
from task_engine.evm.abi.item import AbiFunction
from task_engine.evm.contract_code import NoContractCode
from task_engine.evm.orders import NotPrepared, Order
from task_engine.evm.simulated import SimulatedCall
from task_engine.model.execution import ChainUse, Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.operation import Operation
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.contract_config import (
    ContractConfig,
    parse_contract,
    sender_of,
)
from task_engine.processors.rest_config import invalid
from task_engine.processors.write_config import PlannedCall, gas_limit, planned_calls
from task_engine.processors.write_ports import BUNDLER, SIMULATOR, WritePorts
from task_engine.processors.write_result import (
    Written,
    from_operation,
    from_simulation,
    not_sent,
    revert_error,
)
from task_engine.processors.write_waits import FOR_GOOD, not_prepared, pause_seconds


class ContractWriteProcessor:
    """Every method is encoded and checked before the first is sent. They are sent one after the
    other, each once the one before it is on chain; the first that fails ends it. With `atomic` they
    are one operation: all or none.

    `<node>.data` is `{method: the events it made, or its answer, or true}`; `metadata` tells of
    every call, with its receipt.
    """

    def __init__(self, ports: WritePorts) -> None:
        self._ports = ports

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Raises NodeError for a configuration that can't work: then nothing was sent."""
        config = parse_contract(node.config, scope)
        wallet = sender_of(scope)
        if not wallet:
            text = "settings.runner is required: the smart wallet that writes"
            raise NodeError(text, code="MISSING_REQUIRED_FIELD")
        calls = planned_calls(node, config, scope)
        scope.calls.spend(len(calls))
        job = _Job(node, scope, config, wallet, calls, gas_limit(node, scope))
        simulated = node.config.get("isSimulated")
        if scope.simulated if simulated is None else simulated is True:
            return self._simulate(job)
        return self._send(job)

    def replay_safe(self, node: PlanNode) -> bool:  # noqa: ARG002 - as any processor
        """What was begun is found by its name: it is never sent twice."""
        return True

    def _simulate(self, job: _Job) -> Outcome:
        run_key = job.scope.run_key
        results: list[Written] = []
        for planned in job.calls:
            if results and results[-1].error is not None:
                results.append(not_sent(planned.function))
                continue
            call = SimulatedCall(job.wallet, planned.tx.to, planned.tx.value, planned.tx.data)
            result = self._ports.simulator.simulate(
                run_key, job.config.chain_id, call, job.scope.overrides
            )
            results.append(from_simulation(planned.function, job.config.abi, call, result))
        use = ChainUse(
            job.config.chain_id,
            SIMULATOR,
            simulated=True,
            gas_used=sum(result.gas_used for result in results),
            gas_cost=sum(result.gas_cost for result in results),
        )
        return replace(_outcome(job, results), chain=use)

    def _send(self, job: _Job) -> Outcome:
        origin = job.scope.origin
        if origin is None:
            raise invalid("isSimulated false is not possible here: nothing lasting may be done")
        writer = self._ports.writer()
        name = f"{origin.execution_id}#{job.node.id}"
        groups = _groups(job)
        results: list[Written] = []
        operations: list[Operation] = []
        for place, group in enumerate(groups):
            order = Order(
                f"{name}#{place}",
                origin.owner,
                job.config.chain_id,
                job.wallet,
                tuple(planned.tx for planned in group),
                job.gas_limit,
                contracts=tuple(dict.fromkeys(planned.tx.to for planned in job.calls)),
                returns=bool(origin.task_id),
            )
            if results and (results[-1].error is not None or results[-1].pending):
                results.extend(not_sent(planned.function) for planned in group)
                continue
            try:
                operation = writer.write(order)
            except NotPrepared as error:
                return not_prepared(
                    error, ChainUse(job.config.chain_id, BUNDLER), self._ports.now_ms()
                )
            except NodeError as error:
                results.extend(_refused(job, group, error))
                continue
            operations.append(operation)
            results.extend(from_operation(_functions(group), job.config.abi, operation))
        return self._told(job, results, operations)

    def _told(self, job: _Job, results: list[Written], operations: list[Operation]) -> Outcome:
        use = ChainUse(
            job.config.chain_id,
            BUNDLER,
            gas_used=sum(_figure(operation, "actualGasUsed") for operation in operations),
            gas_cost=sum(_figure(operation, "actualGasCost") for operation in operations),
        )
        outcome = replace(_outcome(job, results), chain=use)
        pending = [operation for operation in operations if not operation.status.final]
        if not pending:
            return outcome
        wait = pause_seconds(pending[-1].created_at, self._ports.now_ms())
        return outcome if wait is FOR_GOOD else replace(outcome, wait_seconds=wait)


@dataclass(frozen=True, slots=True)
class _Job:
    """One run of a node."""

    node: PlanNode
    scope: Scope
    config: ContractConfig
    wallet: str
    calls: Sequence[PlannedCall]
    gas_limit: int


def _groups(job: _Job) -> list[Sequence[PlannedCall]]:
    """What goes into one operation."""
    atomic = job.node.config.get("atomic")
    if atomic is None:
        # Several methods that are run at once, outside of a workflow, belong together.
        atomic = job.scope.origin is not None and not job.scope.origin.task_id
    if atomic is True and len(job.calls) > 1:
        return [job.calls]
    return [[planned] for planned in job.calls]


def _functions(group: Sequence[PlannedCall]) -> list[tuple[AbiFunction, str]]:
    return [(planned.function, planned.tx.to) for planned in group]


def _refused(job: _Job, group: Sequence[PlannedCall], error: NodeError) -> list[Written]:
    """Nothing of a group was sent."""
    if isinstance(error, NoContractCode):
        error = error.of(next(p.function.name for p in job.calls if p.tx.to == error.address))
    told = revert_error(error, job.config.abi)
    return [Written(planned.function, error=told) for planned in group]


def _figure(operation: Operation, name: str) -> int:
    receipt = operation.receipt
    text = receipt.get(name) if isinstance(receipt, dict) else None
    return int(text) if isinstance(text, str) else 0


def _outcome(job: _Job, results: Sequence[Written]) -> Outcome:
    data = _data(job, results)
    failed = next((result.error for result in results if result.error is not None), None)
    return Outcome(
        data=data,
        error=failed,
        metadata=[result.metadata() for result in results],
    )


def _data(job: _Job, results: Sequence[Written]) -> dict[str, JsonValue]:
    """By method; where one is called several times, the last tells."""
    data: dict[str, JsonValue] = {}
    for planned, result in zip(job.calls, results, strict=True):
        if result.error is None:
            data[planned.function.name] = result.data()
    for planned, result in zip(job.calls, results, strict=True):
        targets = planned.call.apply_to
        decimals = result.decimals()
        if targets and decimals is not None:
            data = _formatted(data, targets, decimals)
    return data


def _formatted(
    data: dict[str, JsonValue], targets: Sequence[str], decimals: int
) -> dict[str, JsonValue]:
    """`Event.field` names what an event of any of the calls tells; the raw value stays beside."""
    for method, value in data.items():
        if not isinstance(value, dict):
            continue
        own = [target for target in targets if target.partition(".")[0] in value]
        if own:
            data = {**data, method: apply_to_fields(value, own, decimals, keep_raw=True)}
    return data
