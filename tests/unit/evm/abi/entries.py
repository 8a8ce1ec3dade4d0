"""ABI entries in short: parameters as "type name"."""

from __future__ import annotations

from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.item import AbiFunction
from task_engine.model.json_value import JsonValue

Entry = dict[str, JsonValue]


def parameter(text: str) -> Entry:
    """ "type name", or "type indexed name"."""
    kind, *rest = text.split(" ")
    return {"type": kind, "name": rest[-1] if rest else "", "indexed": "indexed" in rest}


def function(name: str, inputs: list[str], outputs: tuple[str, ...] = ()) -> Entry:
    return {
        "type": "function",
        "name": name,
        "inputs": [parameter(text) for text in inputs],
        "outputs": [parameter(text) for text in outputs],
        "stateMutability": "nonpayable",
    }


def event(name: str, *inputs: str, anonymous: bool = False) -> Entry:
    return {
        "type": "event",
        "name": name,
        "inputs": [parameter(text) for text in inputs],
        "anonymous": anonymous,
    }


def error(name: str, *inputs: str) -> Entry:
    return {"type": "error", "name": name, "inputs": [parameter(text) for text in inputs]}


def method_of(*inputs: str, outputs: tuple[str, ...] = ()) -> AbiFunction:
    return ContractAbi.parse([function("run", list(inputs), outputs)]).function("run")
