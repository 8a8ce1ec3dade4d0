"""Queries that wait for no log: they ask for a contract's state, which their conditions are on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from task_engine.errors import NodeError
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.events import DecodedEvent
from task_engine.evm.abi.item import AbiEvent, member_names
from task_engine.evm.address import Address
from task_engine.model.json_value import JsonValue
from task_engine.operator.abi_shelf import AbiShelf
from task_engine.operator.checks import Condition, EventCheck
from task_engine.operator.conditions import Scale, Seen, holds
from task_engine.operator.enrich import Enricher, beside_facts
from task_engine.operator.logs import Header, Log
from task_engine.operator.match import Hit

_RECORD = {name: name for name in ("roundId", "answer", "updatedAt")} | {"current": "answer"}
"""An oracle's record: what its fields are called, and which output of a method they are."""


class StateQueries:
    """Asks contracts, through an enricher, what queries want to know of them at a block."""

    def __init__(self, chain_id: int, enricher: Enricher) -> None:
        self._chain_id = chain_id
        self._enricher = enricher
        self._shelf = AbiShelf()

    def asked(
        self, due: Iterable[tuple[EventCheck, Header]]
    ) -> Iterator[tuple[EventCheck, Header, dict[str, JsonValue], bool]]:
        """Of each check and block the trigger's data, and whether the conditions are met: by the
        first query and contract of which they are, else of the first at all.

        All calls go in one round trip. Raises RpcError when the node can't be asked.
        """
        listed = list(due)
        hits = [list(self._hits(check, header)) for check, header in listed]
        answers = iter(self._enricher.answers([hit for group in hits for hit in group]))
        for (check, header), group in zip(listed, hits, strict=True):
            told = [(hit, next(answers)) for hit in group]
            met = [(hit, found) for hit, found in told if conditions_met(hit, found)]
            for hit, found in (met or told)[:1]:
                yield check, header, self._data(hit, header, found), bool(met)

    def _hits(self, check: EventCheck, header: Header) -> Iterator[Hit]:
        for place, query in enumerate(check.queries):
            if query.asks_state:
                abi = self._shelf.of(query.contract_abi)
                for address in sorted(query.addresses):
                    yield Hit(check, place, _no_log(address, header), abi)

    def _data(
        self, hit: Hit, header: Header, answers: Mapping[str, JsonValue]
    ) -> dict[str, JsonValue]:
        """The answers by their methods, and flat what an oracle's record is made of."""
        data: dict[str, JsonValue] = {
            "eventName": "",
            "contractAddress": Address(hit.log.address),
            "blockNumber": header.number,
            "blockHash": header.hash,
            "blockTimestamp": header.timestamp * 1000,
            "chainId": self._chain_id,
            **beside_facts(answers),
        }
        for answer in answers.values():
            if isinstance(answer, dict):
                data |= {n: answer[output] for n, output in _RECORD.items() if output in answer}
        return data


def conditions_met(hit: Hit, answers: Mapping[str, JsonValue]) -> bool:
    """Whether anything was answered, and all conditions hold for it."""
    answered = any(answer is not None for answer in answers.values())
    return answered and all(
        _holds(condition, answers, hit.abi) for condition in hit.query.conditions
    )


def _holds(condition: Condition, answers: Mapping[str, JsonValue], abi: ContractAbi | None) -> bool:
    """A condition is on a method's output, or on a field of the record, whatever it is called an
    event of; one on anything else can't be met."""
    if condition.event not in answers:
        output = _RECORD.get(condition.field, "")
        methods = [
            m for m, answer in answers.items() if isinstance(answer, dict) and output in answer
        ]
        if not methods:
            return False
        condition = replace(condition, event=methods[0], field=output)
    name = condition.event
    try:
        function = abi.function(name) if abi is not None else None
    except NodeError:
        function = None
    if function is None:
        return False
    answer = answers[name]
    outputs = function.outputs
    if len(outputs) == 1 and not outputs[0].name:
        outputs = (replace(outputs[0], name=name),)
        answer = {name: answer}
    names = member_names(outputs, "output")
    members = tuple(replace(output, name=n) for output, n in zip(outputs, names, strict=True))
    fields = answer if isinstance(answer, dict) else {}
    entry = AbiEvent(name, members, {})
    return holds(condition, Seen(DecodedEvent(name, fields, ""), entry), Scale())


def _no_log(address: str, header: Header) -> Log:
    """What says which contract is asked, and at which block."""
    return Log(address, (), "0x", header.number, header.hash, "", 0, 0)
