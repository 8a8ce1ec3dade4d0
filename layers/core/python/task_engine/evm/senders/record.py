"""What a sender remembers of sending one operation; stored before anything leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from task_engine.model.json_value import JsonObject

_REORGANISED_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Attempt:
    """One transaction of our own that carries the operation; prices in wei per gas.

    `raw` is what goes to a node; `block` was the chain's head when it was made.
    """

    hash: str
    nonce: int
    max_fee: int
    priority_fee: int
    block: int
    raw: str = ""


@dataclass(frozen=True, slots=True)
class SentRecord:
    """`first_block` is the first block that can have the operation.

    `attempts` are all transactions that may carry it, the newest last; a bundler service makes its
    own, then there are none here. Only the newest keeps its raw form.
    """

    user_op_hash: str
    first_block: int
    attempts: tuple[Attempt, ...] = ()

    @classmethod
    def starting(cls, user_op_hash: str, head: int) -> SentRecord:
        """Before the first sending; blocks that a reorganisation may exchange count as later."""
        return cls(user_op_hash, max(0, head - _REORGANISED_BLOCKS))

    @property
    def newest(self) -> Attempt:
        """Raises IndexError when a bundler service sends."""
        return self.attempts[-1]

    @property
    def hashes(self) -> tuple[str, ...]:
        """Of all attempts, the newest last."""
        return tuple(attempt.hash for attempt in self.attempts)

    def with_attempt(self, attempt: Attempt) -> SentRecord:
        """With one more, which is the newest."""
        older = tuple(
            Attempt(a.hash, a.nonce, a.max_fee, a.priority_fee, a.block) for a in self.attempts
        )
        return SentRecord(self.user_op_hash, self.first_block, (*older, attempt))

    def to_json(self) -> JsonObject:
        """`{userOpHash, firstBlock, attempts: [{hash, nonce, maxFee, priorityFee, block, raw}]}`;
        prices as decimal strings."""
        return {
            "userOpHash": self.user_op_hash,
            "firstBlock": self.first_block,
            "attempts": [
                {
                    "hash": attempt.hash,
                    "nonce": attempt.nonce,
                    "maxFee": str(attempt.max_fee),
                    "priorityFee": str(attempt.priority_fee),
                    "block": attempt.block,
                    "raw": attempt.raw,
                }
                for attempt in self.attempts
            ],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> SentRecord:
        """The record that `to_json` wrote."""
        return cls(
            user_op_hash=stored["userOpHash"],
            first_block=int(stored["firstBlock"]),
            attempts=tuple(
                Attempt(
                    hash=kept["hash"],
                    nonce=int(kept["nonce"]),
                    max_fee=int(kept["maxFee"]),
                    priority_fee=int(kept["priorityFee"]),
                    block=int(kept["block"]),
                    raw=kept["raw"],
                )
                for kept in stored["attempts"]
            ),
        )
