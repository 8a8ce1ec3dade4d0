"""Logs and block headers as nodes answer them, checked and with their numbers read.

https://ethereum.github.io/execution-apis/api-documentation/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from task_engine.evm.failures import RpcError
from task_engine.model.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class Header:
    """One block's header; hashes in lower case, `timestamp` in seconds since the epoch."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    difficulty: int = 0
    gas_limit: int = 0
    gas_used: int = 0


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a mined transaction; hexadecimal texts in lower case."""

    address: str
    topics: tuple[str, ...]
    data: str
    block_number: int
    block_hash: str
    transaction_hash: str
    transaction_index: int
    log_index: int

    @property
    def raw(self) -> dict[str, JsonValue]:
        """What decoding reads of it."""
        return {"topics": list(self.topics), "data": self.data}


def read_header(answer: JsonValue) -> Header | None:
    """The header, or None where the node has no such block; raises RpcError for anything else."""
    if answer is None:
        return None
    try:
        fields = _object(answer)
        return Header(
            number=_number(fields["number"]),
            hash=str(fields["hash"]).lower(),
            parent_hash=str(fields["parentHash"]).lower(),
            timestamp=_number(fields["timestamp"]),
            difficulty=_number(fields.get("difficulty") or "0x0"),
            gas_limit=_number(fields.get("gasLimit") or "0x0"),
            gas_used=_number(fields.get("gasUsed") or "0x0"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable("block") from error


def read_logs(answer: JsonValue) -> list[Log]:
    """Logs in their order on the chain, without those that the node calls removed.

    Raises RpcError for an answer that is none: no log is ever passed over silently.
    """
    if not isinstance(answer, list):
        raise _unreadable("list of logs")
    try:
        logs = [_log(_object(entry)) for entry in answer if not _object(entry).get("removed")]
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable("log") from error
    logs.sort(key=lambda log: (log.block_number, log.log_index))
    return logs


def logs_of_receipts(answer: JsonValue) -> list[Log]:
    """The logs in the answer to eth_getBlockReceipts; raises RpcError."""
    if not isinstance(answer, list):
        raise _unreadable("list of receipts")
    found: list[JsonValue] = []
    for receipt in answer:
        logs = receipt.get("logs") if isinstance(receipt, dict) else None
        if not isinstance(logs, list):
            raise _unreadable("receipt")
        found += logs
    return read_logs(found)


def _log(entry: Mapping[str, JsonValue]) -> Log:
    topics = entry["topics"]
    if not isinstance(topics, list):
        raise TypeError("topics are a list")
    return Log(
        address=str(entry["address"]).lower(),
        topics=tuple([str(topic).lower() for topic in topics]),
        data=str(entry["data"]).lower(),
        block_number=_number(entry["blockNumber"]),
        block_hash=str(entry["blockHash"]).lower(),
        transaction_hash=str(entry["transactionHash"]).lower(),
        transaction_index=_number(entry["transactionIndex"]),
        log_index=_number(entry["logIndex"]),
    )


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _number(value: JsonValue) -> int:
    if not isinstance(value, str):
        raise TypeError("a quantity is a text")
    return int(value, 16)


def _unreadable(what: str) -> RpcError:
    return RpcError(f"the chain's node answered with no {what}", may_retry=True)
