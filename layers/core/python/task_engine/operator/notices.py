"""Notices: findings as signed CloudEvents (https://github.com/cloudevents/spec, 1.0).

    {"specversion": "1.0", "id", "source": "/operators/<address>",
     "type": "task-engine.notice.<kind>", "subject": "<task id>", "time",
     "datacontenttype": "application/json", "signature",
     "data": {"kind", "taskId", "owner", "version", "chainId",
              "occurrence": {"blockNumber", "blockHash", "transactionHash"?, "logIndex"?},
              "digest", "output"}}

`signature` is the operator's EIP-191 signature (`personal_sign`) of the canonical JSON of all the
rest; `digest` is the hash of the canonical JSON of `output`: operators that saw the same tell the
same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from task_engine.clock import Clock
from task_engine.evm.signature import personal_message_hash
from task_engine.evm.signer import Signer
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.operator.canonical import canonical, digest_of
from task_engine.operator.findings import Finding, Kind, Occurrence

TYPE_PREFIX = "task-engine.notice."
SOURCE_PREFIX = "/operators/"
_MOST_BYTES = 250_000


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that was read: what was found, by which operator, and when it said so (ms)."""

    finding: Finding
    operator: str
    time_ms: int
    digest: str


class NoticeWriter:
    """Writes and signs an operator's notices."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock

    def write(self, finding: Finding) -> dict[str, JsonValue]:
        """The signed notice; raises what the signer raises."""
        document = notice_document(finding, str(self._signer.address), self._clock.now_ms())
        signature = self._signer.sign(personal_message_hash(canonical(document)))
        return {**document, "signature": "0x" + signature.hex()}

    def message(self, finding: Finding) -> str | None:
        """The signed notice as it is sent; None for one that no message can hold, which would hold
        up all that come after it for ever."""
        document = self.write(finding)
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return text if len(text.encode()) <= _MOST_BYTES else None


def notice_id(finding: Finding) -> str:
    """`<kind>:<task id>:<occurrence>`: names the notice for queues, whoever sends it."""
    return f"{finding.kind.value}:{finding.check_id}:{finding.occurrence.name}"


def notice_document(finding: Finding, operator: str, time_ms: int) -> dict[str, JsonValue]:
    """The notice without its signature."""
    return {
        "specversion": "1.0",
        "id": notice_id(finding),
        "source": SOURCE_PREFIX + operator,
        "type": TYPE_PREFIX + finding.kind.value,
        "subject": finding.check_id,
        "time": time_text(time_ms),
        "datacontenttype": "application/json",
        "data": {
            "kind": finding.kind.value,
            "taskId": finding.check_id,
            "owner": finding.owner,
            "version": finding.version,
            "chainId": finding.occurrence.chain_id,
            "occurrence": _occurrence(finding.occurrence),
            "digest": digest_of(finding.output),
            "output": dict(finding.output),
        },
    }


def signed_bytes(document: JsonObject) -> bytes:
    """What the signature of a notice is over; raises ValueError where it has no canonical form."""
    return canonical({name: value for name, value in document.items() if name != "signature"})


def finding_of(data: Mapping[str, JsonValue]) -> Finding:
    """The finding in a notice's `data`, whose form has been checked."""
    where, output = data["occurrence"], data["output"]
    if not isinstance(where, dict) or not isinstance(output, dict):
        raise TypeError("an occurrence and an output are objects")
    index = where.get("logIndex")
    return Finding(
        kind=Kind(str(data["kind"])),
        check_id=str(data["taskId"]),
        owner=str(data["owner"]),
        version=int(str(data["version"])),
        occurrence=Occurrence(
            chain_id=int(str(data["chainId"])),
            block_number=int(str(where["blockNumber"])),
            block_hash=str(where["blockHash"]),
            transaction_hash=str(where.get("transactionHash", "")),
            log_index=index if isinstance(index, int) else None,
        ),
        output=output,
    )


def time_text(time_ms: int) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _occurrence(where: Occurrence) -> dict[str, JsonValue]:
    block: dict[str, JsonValue] = {
        "blockNumber": where.block_number,
        "blockHash": where.block_hash,
    }
    if where.log_index is None:
        return block
    return {**block, "transactionHash": where.transaction_hash, "logIndex": where.log_index}
