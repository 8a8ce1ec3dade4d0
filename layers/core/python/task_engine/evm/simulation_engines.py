"""Three ways to try a call out, from the best to the one that every node has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from task_engine.evm.address import ZERO
from task_engine.evm.contract_code import PROBE_OVERRIDE, NoContractCode, probe, tells_absence
from task_engine.evm.eth_call import LATEST, RpcRequest
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.simulated import (
    Answer,
    PastCall,
    RunState,
    SimulatedCall,
    SimulatedResult,
    StateOverride,
    as_request,
    merged,
)
from task_engine.evm.simulation_answers import (
    as_bytes,
    as_json,
    as_number,
    as_quantity,
    mapping,
    unreadable,
)
from task_engine.model.json_value import JsonValue

_REVERTED = 3


class ReplayEngine:
    """eth_simulateV1: every step replays those before it, so it sees their state exactly.

    https://ethereum.github.io/execution-apis/api-documentation/ (eth_simulateV1)
    """

    def probe(self) -> RpcRequest:
        return ("eth_simulateV1", [{"blockStateCalls": [{"calls": []}]}, LATEST])

    def run(
        self, rpc: RpcPort, state: RunState, call: SimulatedCall, override: StateOverride
    ) -> SimulatedResult:
        step = PastCall(call, override)
        probed: JsonValue = {
            "stateOverrides": as_json(merged(override, PROBE_OVERRIDE)),
            "calls": [probe(call.to), as_request(call)],
        }
        told = _last_calls(_simulated(rpc, state, [*_blocks(state.history), probed]))
        if call.data and tells_absence(_result(told[0]).return_data):
            return _absent(rpc, call)
        result = _result(told[-1])
        if result.success:
            state.history.append(step)
        return result

    def reads(self, rpc: RpcPort, state: RunState, requests: Sequence[RpcRequest]) -> list[Answer]:
        calls: list[JsonValue] = [params[0] for _, params in requests]
        told = _simulated(rpc, state, [*_blocks(state.history), {"calls": calls}])
        return [_as_answer(_result(outcome)) for outcome in _last_calls(told)]


class TraceEngine:
    """debug_traceCall: what a call changed becomes an override of state for the next one.

    https://geth.ethereum.org/docs/developers/evm-tracing/built-in-tracers
    """

    def probe(self) -> RpcRequest:
        return _trace({"to": ZERO}, LATEST, "prestateTracer", {"diffMode": True}, {})

    def run(
        self, rpc: RpcPort, state: RunState, call: SimulatedCall, override: StateOverride
    ) -> SimulatedResult:
        seen = merged(state.overlay, override)
        request = as_request(call)
        calls, changes, code = rpc.batch(
            [
                _trace(request, state.at, "callTracer", {"withLog": True}, seen),
                _trace(request, state.at, "prestateTracer", {"diffMode": True}, seen),
                _code_request(call, state, seen),
            ]
        )
        if _lacks_code(call, code):
            return _absent(rpc, call)
        frame, change = mapping(calls), mapping(changes)
        failed = frame.get("error")
        output = as_bytes(frame.get("output"))
        result = SimulatedResult(
            success=not failed,
            return_data=b"" if failed else output,
            logs=() if failed else tuple(_logs(frame)),
            gas_used=as_number(frame.get("gasUsed")),
            error_data=output if failed else b"",
            reason=str(failed or ""),
        )
        if result.success:
            state.overlay = merged(seen, _after(change))
        return result

    def reads(self, rpc: RpcPort, state: RunState, requests: Sequence[RpcRequest]) -> list[Answer]:
        return _overridden(rpc, state, requests)


class PlainEngine:
    """eth_call with overrides: tells success and what is returned, but neither logs nor changes."""

    def probe(self) -> RpcRequest:
        return ("eth_chainId", [])

    def run(
        self, rpc: RpcPort, state: RunState, call: SimulatedCall, override: StateOverride
    ) -> SimulatedResult:
        request, overrides = as_request(call), merged(state.overlay, override)
        seen = as_json(overrides)
        answer, gas, code = rpc.batch(
            [
                ("eth_call", [request, state.at, seen]),
                ("eth_estimateGas", [request, state.at, seen]),
                _code_request(call, state, overrides),
            ]
        )
        if _lacks_code(call, code):
            return _absent(rpc, call)
        if isinstance(answer, RpcError):
            if not answer.reverted:
                raise answer
            data = as_bytes(answer.data)
            return SimulatedResult(False, error_data=data, reason=answer.message, partial=True)
        used = 0 if isinstance(gas, RpcError) else as_number(gas)
        return SimulatedResult(True, return_data=as_bytes(answer), gas_used=used, partial=True)

    def reads(self, rpc: RpcPort, state: RunState, requests: Sequence[RpcRequest]) -> list[Answer]:
        return _overridden(rpc, state, requests)


def _code_request(call: SimulatedCall, state: RunState, seen: StateOverride) -> RpcRequest:
    overrides = as_json(merged(seen, PROBE_OVERRIDE))
    return ("eth_call", [probe(call.to), state.at, overrides])


def _lacks_code(call: SimulatedCall, answer: Answer) -> bool:
    return bool(call.data) and isinstance(answer, str) and tells_absence(as_bytes(answer))


def _absent(rpc: RpcPort, call: SimulatedCall) -> SimulatedResult:
    return SimulatedResult(False, reason=NoContractCode(call.to, rpc.chain_id).message, absent=True)


def _simulated(rpc: RpcPort, state: RunState, blocks: Sequence[JsonValue]) -> JsonValue:
    request: dict[str, JsonValue] = {"blockStateCalls": [*blocks], "validation": False}
    return rpc.call("eth_simulateV1", request, state.at)


def _blocks(steps: Sequence[PastCall]) -> list[JsonValue]:
    """One block a step: overrides hold from the beginning of the block they stand in."""
    return [
        {"stateOverrides": as_json(step.override), "calls": [as_request(step.call)]}
        for step in steps
    ]


def _last_calls(blocks: JsonValue) -> Sequence[JsonValue]:
    last = blocks[-1] if isinstance(blocks, list) and blocks else None
    calls = last.get("calls") if isinstance(last, dict) else None
    if not isinstance(calls, list):
        raise unreadable()
    return calls


def _result(outcome: JsonValue) -> SimulatedResult:
    told = mapping(outcome)
    success = told.get("status") == "0x1"
    error = told.get("error")
    failure = error if isinstance(error, dict) else {}
    returned = as_bytes(told.get("returnData"))
    logs = told.get("logs")
    return SimulatedResult(
        success=success,
        return_data=returned if success else b"",
        logs=tuple(logs) if success and isinstance(logs, list) else (),
        gas_used=as_number(told.get("gasUsed")),
        error_data=b"" if success else as_bytes(failure.get("data")) or returned,
        reason="" if success else str(failure.get("message") or "execution reverted"),
    )


def _as_answer(result: SimulatedResult) -> Answer:
    if result.success:
        return "0x" + result.return_data.hex()
    return RpcError(result.reason, rpc_code=_REVERTED, data="0x" + result.error_data.hex())


def _trace(
    call: JsonValue,
    block: str,
    tracer: str,
    config: dict[str, JsonValue],
    override: StateOverride,
) -> RpcRequest:
    options: dict[str, JsonValue] = {"tracer": tracer, "tracerConfig": config}
    if override:
        options["stateOverrides"] = as_json(override)
    return ("debug_traceCall", [call, block, options])


def _logs(frame: Mapping[str, JsonValue]) -> list[JsonValue]:
    """Logs of a frame and of those it called, in order: a log's `position` counts the calls that
    came before it. Frames that failed have undone theirs."""
    inner = frame.get("calls")
    calls = [call for call in inner if isinstance(call, dict)] if isinstance(inner, list) else []
    own = frame.get("logs")
    logs = [log for log in own if isinstance(log, dict)] if isinstance(own, list) else []
    found: list[JsonValue] = []
    for place, call in enumerate([*calls, None]):
        found += [
            {key: log.get(key) for key in ("address", "topics", "data")}
            for log in logs
            if _place(log, len(calls)) == place
        ]
        if call is not None and not call.get("error"):
            found += _logs(call)
    return found


def _place(log: Mapping[str, JsonValue], last: int) -> int:
    return last if log.get("position") is None else min(last, as_number(log["position"]))


def _after(change: Mapping[str, JsonValue]) -> StateOverride:
    """The accounts as the call left them. A slot that only `pre` has was set to zero."""
    before, after = change.get("pre"), change.get("post")
    left: StateOverride = {}
    for address, account in after.items() if isinstance(after, dict) else ():
        given = account if isinstance(account, dict) else {}
        kept: dict[str, JsonValue] = {
            key: as_quantity(given[key]) for key in ("balance", "nonce") if key in given
        }
        if "code" in given:
            kept["code"] = given["code"]
        left[address.lower()] = {**kept, "stateDiff": dict(_storage(given))}
    for address, account in before.items() if isinstance(before, dict) else ():
        slots = left.setdefault(address.lower(), {"stateDiff": {}})["stateDiff"]
        if isinstance(slots, dict) and isinstance(account, dict):
            for slot in _storage(account):
                slots.setdefault(slot, "0x" + "00" * 32)
    return left


def _storage(account: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    storage = account.get("storage")
    return storage if isinstance(storage, dict) else {}


def _overridden(rpc: RpcPort, state: RunState, requests: Sequence[RpcRequest]) -> list[Answer]:
    return rpc.batch(
        [("eth_call", [params[0], state.at, as_json(state.overlay)]) for _, params in requests]
    )
