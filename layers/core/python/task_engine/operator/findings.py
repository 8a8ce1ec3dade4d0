"""What a watcher has found: an occurrence that fires a check, or something wrong about one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from task_engine.model.json_value import JsonValue


class Kind(StrEnum):
    """What a finding is about.

    `orphaned` takes back what was found in a block that the chain has left; `overload` says that a
    check took more of a block than it may.
    """

    BLOCK = "block"
    EVENT = "event"
    OVERLOAD = "overload"
    ORPHANED = "orphaned"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A block of a chain, or one log of it; hashes in lower case."""

    chain_id: int
    block_number: int
    block_hash: str
    transaction_hash: str = ""
    log_index: int | None = None

    @property
    def name(self) -> str:
        """`chain:blockHash`, of a log with `:transactionHash:logIndex`: the same for whoever
        reports it, another one for the same transaction in another block."""
        block = f"{self.chain_id}:{self.block_hash}"
        if self.log_index is None:
            return block
        return f"{block}:{self.transaction_hash}:{self.log_index}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One message to the engine about one check; `output` is the trigger's data."""

    kind: Kind
    check_id: str
    owner: str
    version: int
    occurrence: Occurrence
    output: Mapping[str, JsonValue] = field(default_factory=dict)
