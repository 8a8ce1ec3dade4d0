"""Whether what a notice tells can be an occurrence of a check."""

from __future__ import annotations

from collections.abc import Mapping

from task_engine.model.json_value import JsonValue
from task_engine.operator.checks import BlockCheck, Check, EventCheck
from task_engine.operator.findings import Finding, Kind

_TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def mismatch(check: Check, finding: Finding) -> str | None:
    """Why it can't be, None when it can: another owner, chain or kind, a block that is no multiple
    of the interval, a log that no query takes, a state that none asks for, data that contradicts
    the occurrence.

    Conditions on fields are not looked at again: what a log says is the operators' word.
    """
    if finding.owner.lower() != check.owner.lower():
        return "is another owner's"
    if finding.occurrence.chain_id != check.chain_id:
        return "is of another chain"
    if finding.kind is Kind.ORPHANED:
        return None
    if finding.kind is Kind.OVERLOAD:
        return None if isinstance(check, EventCheck) else "only events can overload"
    contradiction = _contradiction(finding)
    if contradiction:
        return contradiction
    if isinstance(check, BlockCheck):
        return _block_mismatch(check, finding)
    return _event_mismatch(check, finding)


def _block_mismatch(check: BlockCheck, finding: Finding) -> str | None:
    if finding.kind is not Kind.BLOCK:
        return "is no block"
    if finding.occurrence.block_number % check.interval:
        return f"is no multiple of {check.interval}"
    return None


def _event_mismatch(check: EventCheck, finding: Finding) -> str | None:
    if finding.kind is not Kind.EVENT:
        return "is no event"
    if finding.occurrence.log_index is None:
        return _state_mismatch(check, finding)
    address = str(finding.output.get("contractAddress", "")).lower()
    topics = _topics(finding.output)
    if topics is None or not any(query.takes(address, topics) for query in check.queries):
        return "is a log that no query takes"
    return None


def _state_mismatch(check: EventCheck, finding: Finding) -> str | None:
    """Of a state that was asked for at a block."""
    address = str(finding.output.get("contractAddress", "")).lower()
    if not any(query.asks_state and address in query.addresses for query in check.queries):
        return "is a state that no query asks for"
    if finding.occurrence.block_number % check.interval:
        return f"is no multiple of {check.interval}"
    return None


def _topics(output: Mapping[str, JsonValue]) -> tuple[str, ...] | None:
    """The log's topics, of a token transfer made from its fields; None without any."""
    listed = output.get("topics")
    if isinstance(listed, list):
        return tuple(str(topic).lower() for topic in listed)
    ends = [str(output.get(name, "")).lower() for name in ("fromAddress", "toAddress")]
    if output.get("eventName") != "Transfer" or not all(len(end) == 42 for end in ends):
        return None
    return (_TRANSFER, *("0x" + end[2:].rjust(64, "0") for end in ends))


def _contradiction(finding: Finding) -> str | None:
    """A part of the data that is not the occurrence's; what is absent contradicts nothing."""
    where = finding.occurrence
    said: dict[str, JsonValue] = {
        "blockNumber": where.block_number,
        "blockHash": where.block_hash,
        "transactionHash": where.transaction_hash or None,
        "logIndex": where.log_index,
        "chainId": where.chain_id,
    }
    for name, right in said.items():
        given = finding.output.get(name)
        if given is not None and given != right:
            return f"has another {name} in its data"
    return None
