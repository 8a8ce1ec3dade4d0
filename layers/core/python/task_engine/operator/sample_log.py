"""A log as a contract might emit it, made of a query and an interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from task_engine.errors import NodeError
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.item import AbiEvent, AbiFunction
from task_engine.evm.abi.parameter import AbiParameter
from task_engine.model.json_value import JsonValue
from task_engine.operator.checks import EventQuery
from task_engine.operator.enrich import TRANSFER
from task_engine.operator.logs import Header, Log

NO_TRANSACTION = "0x" + "00" * 32
_SOMEBODY = "0x000000000000000000000000000000000000dEaD"
_SOME_WORD = "0x" + "00" * 31 + "01"
_MANY_DECIMALS = 18


def sample_log(query: EventQuery, abi: ContractAbi | None, header: Header, decimals: int) -> Log:
    """A log of block `header` that the query's addresses and topics take; of a token transfer 1.5
    or, with fewer than 18 decimals, 100.5 tokens."""
    if _is_transfer(query, abi):
        topics, data = _transfer(query, decimals)
    else:
        topics, data = _event(query, _entry(query, abi))
    return Log(
        address=min(query.addresses),
        topics=topics,
        data=data,
        block_number=header.number,
        block_hash=header.hash,
        transaction_hash=NO_TRANSACTION,
        transaction_index=0,
        log_index=0,
    )


def _is_transfer(query: EventQuery, abi: ContractAbi | None) -> bool:
    """Whether the query is for transfers of ERC-20; those of ERC-721 have a topic more."""
    if query.topics and query.topics[0] is not None:
        entry = _entry(query, abi)
        fits = entry is None or sum(parameter.indexed for parameter in entry.inputs) == 2
        return query.topics[0] == TRANSFER and len(query.topics) <= 3 and fits
    entry = _entry(query, abi)
    if entry is None or "0x" + entry.digest.hex() != TRANSFER:
        return False
    return sum(parameter.indexed for parameter in entry.inputs) == 2


def _entry(query: EventQuery, abi: ContractAbi | None) -> AbiEvent | None:
    wanted = query.topics[0] if query.topics else None
    events = [event for event in (abi.events if abi else ()) if not event.anonymous]
    if wanted is None:
        return events[0] if events else None
    return next((event for event in events if "0x" + event.digest.hex() == wanted), None)


def _transfer(query: EventQuery, decimals: int) -> tuple[tuple[str, ...], str]:
    tenths = 15 if decimals >= _MANY_DECIMALS else 1005
    value = tenths * 10**decimals // 10
    sender, to = (*query.topics, None, None, None)[1:3]
    somebody = _word(_SOMEBODY)
    return (TRANSFER, sender or somebody, to or somebody), f"0x{value:064x}"


def _event(query: EventQuery, entry: AbiEvent | None) -> tuple[tuple[str, ...], str]:
    wanted = list(query.topics)
    if entry is None:
        return tuple(topic or _SOME_WORD for topic in wanted), "0x"
    indexed = [parameter for parameter in entry.inputs if parameter.indexed]
    wanted += [None] * (len(indexed) + 1 - len(wanted))
    made = ["0x" + entry.digest.hex(), *(_topic(parameter) for parameter in indexed)]
    made += [_SOME_WORD] * (len(wanted) - len(made))
    topics = tuple(given or sample for given, sample in zip(wanted, made, strict=True))
    return topics, _encoded([parameter for parameter in entry.inputs if not parameter.indexed])


def _topic(parameter: AbiParameter) -> str:
    return _encoded([parameter]) if parameter.is_value_type else _SOME_WORD


def _encoded(parameters: Sequence[AbiParameter]) -> str:
    function = AbiFunction("sample", tuple(parameters), {})
    try:
        return "0x" + function.encode([_value(each) for each in parameters])[4:].hex()
    except NodeError:
        return "0x"


def _value(parameter: AbiParameter) -> JsonValue:
    """A value of the type, as users write it."""
    if parameter.dimensions:
        length = parameter.dimensions[-1]
        inner = replace(parameter, dimensions=parameter.dimensions[:-1])
        return [_value(inner)] * (1 if length is None else length)
    if parameter.base == "tuple":
        return [_value(component) for component in parameter.components]
    size = parameter.size or 1
    plain = {"address": _SOMEBODY, "bool": "true", "string": "sample", "bytes": "0x" + "01" * size}
    return plain.get(parameter.base, "1")


def _word(address: str) -> str:
    return "0x" + address[2:].lower().rjust(64, "0")
