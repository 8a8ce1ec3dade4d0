"""Whether there is a contract at an address: a call of none succeeds and does nothing."""

from __future__ import annotations

from task_engine.errors import NodeError
from task_engine.evm.address import ZERO, Address
from task_engine.evm.words import address_word
from task_engine.model.json_value import JsonValue

_CODE = "INVALID_NODE_CONFIG"
# Where the probe's code is put for the length of one request; nothing lives there.
_PROBE = "0x7461736b2d656e67696e652d636f64652d70726f"
# calldataload(0) extcodesize, answered as one word.
_PROBE_CODE = "0x6000353b60005260206000f3"

PROBE_OVERRIDE: dict[str, dict[str, JsonValue]] = {_PROBE: {"code": _PROBE_CODE}}
"""The state that probes need; it changes nothing else."""


class NoContractCode(NodeError):
    """A method was to be called where no contract is: nothing was sent."""

    code = _CODE

    def __init__(self, address: str, chain_id: int, method: str = "") -> None:
        prefix = f"method {method}: " if method else ""
        super().__init__(f"{prefix}no contract code at {address} on chain {chain_id}")
        self.address = address
        self._chain_id = chain_id

    def of(self, method: str) -> NoContractCode:
        """The same, told of a method."""
        return NoContractCode(self.address, self._chain_id, method)


def empty_answer(method: str) -> NodeError:
    """The error for a contract that answered with nothing where its ABI promises outputs."""
    text = f"method {method}: the contract answered with empty data; it has no such method"
    return NodeError(text, code=_CODE)


def probe(address: str) -> dict[str, JsonValue]:
    """A call as nodes take it, with PROBE_OVERRIDE, that tells the size of the code at `address` in
    the state that it is made in: a contract that a simulation has made itself counts, unlike for
    eth_getCode."""
    data = "0x" + address_word(Address(address)).hex()
    return {"from": ZERO, "to": _PROBE, "data": data}


def tells_absence(answer: bytes) -> bool:
    """Whether a probe found no code; an answer of another form tells nothing."""
    return len(answer) == 32 and not any(answer)
