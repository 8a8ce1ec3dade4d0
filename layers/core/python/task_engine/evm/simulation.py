"""Transactions tried out on the state of a chain, nothing sent; later ones see earlier ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

from task_engine.evm.erc20_slots import erc20_state
from task_engine.evm.eth_call import RpcRequest, quantity
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.simulated import (
    Answer,
    Engine,
    Erc20Override,
    RunState,
    SimulatedCall,
    SimulatedResult,
    StateOverride,
    merged,
)
from task_engine.evm.simulation_engines import PlainEngine, ReplayEngine, TraceEngine
from task_engine.evm.tokens import Rpcs
from task_engine.model.json_value import JsonValue

ENGINES: tuple[Engine, ...] = (ReplayEngine(), TraceEngine(), PlainEngine())
_ETHER = 10**18
_RUNS_KEPT = 256


class ChainSimulator:
    """Simulates for many runs at once, each with a state of its own.

    What a run has changed is held in this process only, for the last 256 runs. All steps of a run
    see the block that its first one saw. How a chain's node can simulate is found out once. Safe
    for threads.
    """

    def __init__(self, rpcs: Rpcs, engines: Sequence[Engine] = ENGINES) -> None:
        self._rpcs = rpcs
        self._engines = tuple(engines)
        self._chosen: dict[int, Engine] = {}
        self._runs: OrderedDict[tuple[str, int], RunState] = OrderedDict()
        self._lock = Lock()

    def simulate(
        self,
        run_key: str,
        chain_id: int,
        call: SimulatedCall,
        overrides: Sequence[Erc20Override] = (),
    ) -> SimulatedResult:
        """What `call` would do now, after the successful calls of the same run; "" as `run_key` is
        a run of one call.

        A call that fails is a result; raises RpcError when the node can't be asked, NodeError
        SIMULATION_ERROR for overrides that can't be placed. A sender without the value of the call
        is lent it, since a simulation is to show what the call does.
        """
        rpc = self._rpcs.rpc(chain_id)
        engine = self._engine(chain_id, rpc)
        state = self._state(run_key, chain_id)
        with state.lock:
            if state.block < 0:
                _begin(rpc, state)
            given = erc20_state(rpc, overrides, state.at) if overrides else {}
            result = _lending(engine, rpc, state, (call, given))
            return replace(result, block_number=state.block, gas_price=state.gas_price)

    def view(self, run_key: str) -> Rpcs:
        """The chains as the run has changed them: for eth_call; all else is as it really is."""
        return _Views(self, run_key)

    def rpc_of(self, run_key: str, chain_id: int) -> RpcPort:
        """The chain as the run has changed it; the chain itself when it has not."""
        rpc = self._rpcs.rpc(chain_id)
        with self._lock:
            state = self._runs.get((run_key, chain_id))
        if state is None or not state.changed:
            return rpc
        return _View(rpc, self._engine(chain_id, rpc), state)

    def forget(self, run_key: str) -> None:
        """The run is over."""
        with self._lock:
            for key in [key for key in self._runs if key[0] == run_key]:
                del self._runs[key]

    def _state(self, run_key: str, chain_id: int) -> RunState:
        if not run_key:
            return RunState()
        with self._lock:
            state = self._runs.setdefault((run_key, chain_id), RunState())
            self._runs.move_to_end((run_key, chain_id))
            if len(self._runs) > _RUNS_KEPT:
                self._runs.popitem(last=False)
            return state

    def _engine(self, chain_id: int, rpc: RpcPort) -> Engine:
        """The first engine that the node answers to. An answer for the moment only (a node that is
        busy) decides this call and is not remembered."""
        chosen = self._chosen.get(chain_id)
        if chosen is not None:
            return chosen
        answers = rpc.batch([engine.probe() for engine in self._engines])
        pairs = list(zip(self._engines, answers, strict=True))
        best = next((e for e, a in pairs if not isinstance(a, RpcError)), self._engines[-1])
        if not any(isinstance(a, RpcError) and a.may_retry for a in answers):
            self._chosen[chain_id] = best
        return best


def _begin(rpc: RpcPort, state: RunState) -> None:
    block, price = rpc.batch([("eth_blockNumber", []), ("eth_gasPrice", [])])
    state.block = quantity(block)
    state.gas_price = 0 if isinstance(price, RpcError) else quantity(price)


def _lending(
    engine: Engine, rpc: RpcPort, state: RunState, step: tuple[SimulatedCall, StateOverride]
) -> SimulatedResult:
    """The call, tried again with the value lent when nothing else is missing."""
    call, override = step
    try:
        return engine.run(rpc, state, call, override)
    except RpcError as error:
        if not call.value or not _lacks_funds(error):
            raise
    lent: StateOverride = {call.sender.lower(): {"balance": hex(call.value + _ETHER)}}
    return replace(engine.run(rpc, state, call, merged(override, lent)), lent=True)


def _lacks_funds(error: RpcError) -> bool:
    text = error.message.lower()
    return "insufficient funds" in text or "insufficient balance" in text


class _Views:
    """The chains of one run."""

    def __init__(self, simulator: ChainSimulator, run_key: str) -> None:
        self._simulator = simulator
        self._run_key = run_key

    def rpc(self, chain_id: int) -> RpcPort:
        return self._simulator.rpc_of(self._run_key, chain_id)


class _View:
    """One chain of one run: eth_call sees what the run did, at the block it began with."""

    def __init__(self, rpc: RpcPort, engine: Engine, state: RunState) -> None:
        self._rpc = rpc
        self._engine = engine
        self._state = state
        self.chain_id = rpc.chain_id

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        [answer] = self.batch([(method, [*params])])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, calls: Sequence[RpcRequest], *, until: float | None = None) -> list[Answer]:
        with self._state.lock:
            reads = [call for call in calls if call[0] == "eth_call"]
            others = [call for call in calls if call[0] not in ("eth_call", "eth_blockNumber")]
            seen = iter(self._engine.reads(self._rpc, self._state, reads) if reads else [])
            told = iter(self._rpc.batch(others, until=until) if others else [])
            return [
                next(seen)
                if method == "eth_call"
                else self._state.at
                if method == "eth_blockNumber"
                else next(told)
                for method, _ in calls
            ]
