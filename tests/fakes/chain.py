"""A chain in memory that mines, reorganises, fails and lags as told."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from task_engine.evm.failures import RpcError
from task_engine.evm.tokens import TokenMetadata
from task_engine.model.json_value import JsonValue
from task_engine.operator.cursor import Cursor, cursor_from_json, cursor_to_json
from task_engine.operator.findings import Finding

from tests.fakes.clock import FakeClock

BLOCK_MS = 12_000
Filter = dict[str, Any]


@dataclass(frozen=True)
class Emitted:
    """What a transaction emits: contract, topics, data."""

    address: str
    topics: tuple[str, ...] = ()
    data: str = "0x"


@dataclass
class FakeBlock:
    number: int
    hash: str
    parent: str
    timestamp: int
    logs: list[dict[str, JsonValue]] = field(default_factory=list)

    @property
    def header(self) -> dict[str, JsonValue]:
        return {
            "number": hex(self.number),
            "hash": self.hash,
            "parentHash": self.parent,
            "timestamp": hex(self.timestamp),
            "difficulty": "0x0",
            "gasLimit": hex(30_000_000),
            "gasUsed": hex(21_000 * len(self.logs)),
        }


class FakeChain:
    """Implements RpcPort. Each block has its own time, mostly `BLOCK_MS` after the one before.

    `before_call` runs before every single call, also between those of a batch: it may change the
    chain or raise. `max_logs` is the most that one query gives. `answers` are those of eth_call by
    contract and call data, `forced` what a method answers whatever it is asked. Its clock
    is `slow_seconds` behind.
    Of a range it tells no logs of the newest `lag` blocks, as when another node behind the same
    URL answers, which has not got them.
    """

    def __init__(self, clock: FakeClock, chain_id: int = 31337) -> None:
        self.chain_id = chain_id
        self.clock = clock
        self.blocks: list[FakeBlock] = []
        self.calls: Counter[str] = Counter()
        self.round_trips = 0
        self.max_logs = 10**9
        self.answers: dict[tuple[str, str], JsonValue | RpcError] = {}
        self.forced: dict[str, Any] = {}
        self.before_call: Callable[[str], None] = lambda _method: None
        self.before_trip: Callable[[], None] = lambda: None
        self._made = 0
        self.highest = self.slow_seconds = self.lag = 0
        self.mine()

    def mine(self, *emitted: Emitted, after_ms: int = BLOCK_MS) -> FakeBlock:
        self.clock.forward(after_ms)
        self._made += 1
        number = len(self.blocks)
        block = FakeBlock(
            number,
            _hash("block", self._made),
            self.blocks[-1].hash if self.blocks else "0x" + "00" * 32,
            self.clock.now_ms() // 1000 - self.slow_seconds,
        )
        block.logs = [_log(block, i, e) for i, e in enumerate(emitted)]
        self.blocks.append(block)
        self.highest = max(self.highest, number)
        return block

    def reorg(self, depth: int) -> None:
        """Take the newest blocks away; what is mined next has other hashes."""
        kept = max(1, len(self.blocks) - depth)
        del self.blocks[kept:]

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        self._trip()
        answer = self._answer(method, list(params))
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(
        self, calls: Sequence[tuple[str, list[JsonValue]]], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        self._trip()
        return [self._answer(method, params) for method, params in calls]

    def _trip(self) -> None:
        self.round_trips += 1
        self.before_trip()

    def _answer(self, method: str, params: list[Any]) -> JsonValue | RpcError:
        self.calls[method] += 1
        self.before_call(method)
        if method in self.forced:
            forced: JsonValue = self.forced[method]
            return forced
        if method == "eth_getBlockByNumber":
            number = len(self.blocks) - 1 if params[0] == "latest" else int(params[0], 16)
            return self.blocks[number].header if 0 <= number < len(self.blocks) else None
        if method == "eth_getLogs":
            return self._logs(params[0])
        if method == "eth_getBlockReceipts":
            block = next((b for b in self.blocks if b.hash == params[0]), None)
            if block is None:
                return None
            halves = (block.logs[:2], block.logs[2:])
            return [{"logs": list[JsonValue](half)} for half in halves]
        if method == "eth_call":
            return self.answers.get((params[0]["to"], params[0]["data"]), "0x")
        raise AssertionError(f"nobody answers {method}")

    def _logs(self, wanted: Filter) -> JsonValue | RpcError:
        if "blockHash" in wanted:
            blocks = [block for block in self.blocks if block.hash == wanted["blockHash"]]
            if not blocks:
                return RpcError("unknown block", rpc_code=-32000, may_retry=True)
        else:
            first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
            has = len(self.blocks) - self.lag
            blocks = self.blocks[first : min(last + 1, has)]
        found = [log for block in blocks for log in block.logs if takes(wanted, log)]
        if len(found) > self.max_logs:
            text = f"query returned more than {self.max_logs} results"
            return RpcError(text, rpc_code=-32005)
        return list(found)


def takes(wanted: Filter, log: dict[str, Any]) -> bool:
    """The node's rule for eth_getLogs."""
    addresses, topics = wanted.get("address"), wanted.get("topics") or []
    if addresses is not None and log["address"] not in addresses:
        return False
    if len(topics) > len(log["topics"]):
        return False
    return all(
        any_of is None or topic in any_of
        for any_of, topic in zip(topics, log["topics"], strict=False)
    )


class MemoryCursors:
    """Implements CursorStore; keeps JSON, as a store would."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] | None = None
        self.writes = 0

    def get(self, chain_id: int) -> Cursor | None:
        return None if self.stored is None else cursor_from_json(self.stored)

    def put(self, cursor: Cursor, expected_revision: int) -> bool:
        held = 0 if self.stored is None else int(self.stored["revision"])
        if held != expected_revision:
            return False
        self.writes += 1
        self.stored = cursor_to_json(cursor)
        return True


class Inbox:
    """Implements Notifier."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.before: Callable[[Finding], None] = lambda _finding: None

    def send(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self.before(finding)
            self.findings.append(finding)


class FakeTokens:
    """Implements TokenPort: every contract is a token of six decimals, unless told."""

    def __init__(self) -> None:
        self.known: dict[str, TokenMetadata | RpcError] = {}
        self.lookups = 0

    def lookup(self, chain_id: int, address: str) -> TokenMetadata:
        self.lookups += 1
        token = self.known.get(address)
        if isinstance(token, RpcError):
            raise token
        return token or TokenMetadata(True, address, "USDX", "Dollar X", 6, "rpc")


def _log(block: FakeBlock, index: int, emitted: Emitted) -> dict[str, JsonValue]:
    return {
        "address": emitted.address,
        "topics": list(emitted.topics),
        "data": emitted.data,
        "blockNumber": hex(block.number),
        "blockHash": block.hash,
        "transactionHash": _hash(block.hash, index),
        "transactionIndex": hex(index),
        "logIndex": hex(index),
        "removed": False,
    }


def _hash(*parts: object) -> str:
    return "0x" + hashlib.sha256(repr(parts).encode()).hexdigest()
