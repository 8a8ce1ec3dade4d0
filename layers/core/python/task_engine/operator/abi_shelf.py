"""Contract interfaces of many checks, each parsed once; logs read by them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from task_engine.errors import NodeError
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.events import decode_log
from task_engine.evm.abi.parameter import AbiParameter
from task_engine.model.json_value import JsonValue
from task_engine.operator.conditions import Seen
from task_engine.operator.logs import Log


class AbiShelf:
    """Parsed interfaces by their JSON: a thousand checks of one contract share one."""

    def __init__(self) -> None:
        self._parsed: dict[str, ContractAbi | None] = {}

    def of(self, items: Sequence[JsonValue]) -> ContractAbi | None:
        """The interface; None when there is none, or one that can't be read."""
        if not items:
            return None
        key = json.dumps(items, sort_keys=True)
        if key not in self._parsed:
            self._parsed[key] = _parse(items)
        return self._parsed[key]


def read_event(abi: ContractAbi | None, log: Log) -> Seen | None:
    """The log as one of the interface's events; None when it is none of them."""
    if abi is None:
        return None
    event = decode_log(abi, log.raw)
    if event is None:
        return None
    entry = next(
        e
        for e in abi.events
        if e.signature == event.signature and _indexed(e.inputs) == len(log.topics) - 1
    )
    return Seen(event, entry)


def _indexed(inputs: Sequence[AbiParameter]) -> int:
    return sum(parameter.indexed for parameter in inputs)


def _parse(items: Sequence[JsonValue]) -> ContractAbi | None:
    try:
        return ContractAbi.parse(list(items))
    except NodeError:
        return None
