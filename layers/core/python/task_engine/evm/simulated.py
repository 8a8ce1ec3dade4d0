"""What a simulation is asked, what it answers, and what it remembers between steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol, TypeAlias

from task_engine.evm.eth_call import RpcRequest
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.model.json_value import JsonValue

Answer: TypeAlias = "JsonValue | RpcError"
StateOverride: TypeAlias = "dict[str, dict[str, JsonValue]]"
"""By address in lower case: `balance`, `nonce`, `code`, `stateDiff` as nodes take them."""


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """What a transaction of `sender` would do; `value` in wei."""

    sender: str
    to: str
    value: int = 0
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Erc20Override:
    """A balance of `owner`, and what `spender` may take of it, in base units; None = as it is.

    A slot is the place of the token's mapping in its storage layout; None = to be found out.
    """

    token: str
    owner: str
    spender: str = ""
    balance: int | None = None
    allowance: int | None = None
    balance_slot: int | None = None
    allowance_slot: int | None = None


@dataclass(frozen=True, slots=True)
class SimulatedResult:
    """What would have come of a call.

    `logs` are as receipts have them, in the order they were written. `reason` tells why a call
    failed that gave no `error_data`. `absent`: it had data for an address without code. `lent`: the
    sender was lent the value, which it has not got. `partial`: the chain's node can't tell logs,
    nor keep what this call changed for later ones. `block_number` is the real block on whose state
    everything happened; `gas_price` (wei) its price.
    """

    success: bool
    return_data: bytes = b""
    logs: tuple[JsonValue, ...] = ()
    gas_used: int = 0
    error_data: bytes = b""
    reason: str = ""
    absent: bool = False
    block_number: int = 0
    gas_price: int = 0
    lent: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that succeeded, with what was overridden for it."""

    call: SimulatedCall
    override: StateOverride


@dataclass(slots=True)
class RunState:
    """One run on one chain. `block` -1 = not begun. Engines that can replay use `history`; those
    that can't keep what was changed in `overlay`."""

    block: int = -1
    gas_price: int = 0
    history: list[PastCall] = field(default_factory=list)
    overlay: StateOverride = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    @property
    def at(self) -> str:
        """The block as requests name it."""
        return hex(self.block)

    @property
    def changed(self) -> bool:
        """Whether the run sees another state than the chain's."""
        return bool(self.history or self.overlay)


class Engine(Protocol):
    """One way to try calls out, which a chain's node has or has not."""

    def probe(self) -> RpcRequest:
        """A request that only nodes with this way answer without an error."""

    def run(
        self, rpc: RpcPort, state: RunState, call: SimulatedCall, override: StateOverride
    ) -> SimulatedResult:
        """One call after those before it; `state` keeps one that succeeded. Raises RpcError."""

    def reads(self, rpc: RpcPort, state: RunState, requests: Sequence[RpcRequest]) -> list[Answer]:
        """Answers to eth_call requests on the state that the run left."""


def merged(base: StateOverride, more: StateOverride) -> StateOverride:
    """Both; `more` wins."""
    result = {address: dict(account) for address, account in base.items()}
    for address, account in more.items():
        mine = result.setdefault(address.lower(), {})
        slots = {**_slots(mine), **_slots(account)}
        mine.update(account)
        if slots:
            mine["stateDiff"] = slots
    return result


def as_request(call: SimulatedCall) -> dict[str, JsonValue]:
    """The call as nodes take it."""
    return {
        "from": call.sender,
        "to": call.to,
        "value": hex(call.value),
        "data": "0x" + call.data.hex(),
    }


def _slots(account: dict[str, JsonValue]) -> dict[str, JsonValue]:
    slots = account.get("stateDiff")
    return slots if isinstance(slots, dict) else {}
