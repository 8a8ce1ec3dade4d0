"""What fires in the blocks that were read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.model.json_value import JsonValue
from task_engine.operator.chain_view import ChainView, Reading, require_own_block
from task_engine.operator.check_set import CheckSet
from task_engine.operator.checks import BlockCheck, Check, EventCheck
from task_engine.operator.cursor import Cursor
from task_engine.operator.enrich import Enricher, block_data
from task_engine.operator.findings import Finding, Kind, Occurrence
from task_engine.operator.intervals import Intervals
from task_engine.operator.log_query import union_filter
from task_engine.operator.logs import Header
from task_engine.operator.match import Hit, Matcher, Overload
from task_engine.operator.rules import WatchRules
from task_engine.operator.state_queries import StateQueries
from task_engine.operator.token_names import TokenNames


@dataclass(frozen=True, slots=True)
class Moment:
    """What does not change within a pass: the time, the newest block, the last one to look at,
    what is stored, and headers that are known without asking."""

    ms: int
    head: Header
    target: int
    stored: Cursor | None
    known: dict[int, Header]

    @property
    def seen_ms(self) -> int:
        """When the chain was last looked at up to its end."""
        return self.stored.seen_ms if self.stored is not None else 0


class Finder:
    """The checks of a chain, indexed; made anew when they change. No check is older than
    `since_ms`."""

    def __init__(
        self, rpc: RpcPort, view: ChainView, tokens: TokenNames, rules: WatchRules
    ) -> None:
        self._chain_id = rpc.chain_id
        self._view = view
        self._tokens = tokens
        self._enricher = Enricher(rpc, tokens)
        self._states = StateQueries(rpc.chain_id, self._enricher)
        self._rules = rules
        self._revision = -1
        self._matcher = Matcher(())
        self.intervals = Intervals((), 0)
        self._questions = Intervals((), 0)
        self.log_filter: dict[str, JsonValue] | None = None
        self.since_ms = 0

    def index(self, checks: CheckSet) -> None:
        """Take the checks as they are now."""
        if self._revision == checks.revision:
            return
        events = [check for check in checks.checks.values() if isinstance(check, EventCheck)]
        blocks = [check for check in checks.checks.values() if isinstance(check, BlockCheck)]
        self._matcher = Matcher(
            events,
            decimals=self._tokens.decimals,
            max_events_per_block=self._rules.max_events_per_block,
        )
        self.intervals = Intervals(blocks, self._rules.max_firings)
        # A state of long ago is none to act on: what was missed is not made up for.
        self._questions = Intervals([check for check in events if check.asks_state], 1)
        self.log_filter = union_filter(events)
        self.since_ms = min((check.since_ms for check in (*events, *blocks)), default=0)
        self._revision = checks.revision

    def numbers(self, first: int, last: int, head: int) -> frozenset[int]:
        """The blocks from `first` to `last` whose headers it takes, besides those of logs; `head`
        is the last that is there to look at."""
        due = self.intervals.numbers(first, last, head)
        return due | self._questions.numbers(first, last, head)

    def find(self, now: Moment, reading: Reading) -> tuple[dict[int, Header], list[Finding]]:
        """What fires in the blocks read, in their order, and the headers it took to say so."""
        matched = self._matcher.match(reading.logs, now.ms)
        numbers = {hit.log.block_number for hit in matched.hits}
        numbers |= {over.block_number for over in matched.overloads}
        headers = self._all_headers(reading, numbers)
        hits = [hit for hit in matched.hits if self._concerns(hit.check, now, headers[_block(hit)])]
        data = self._enricher.events(hits, headers)
        found = [self._event(hit, output) for hit, output in zip(hits, data, strict=True)]
        found += [
            self._overload(over)
            for over in matched.overloads
            if self._concerns(over.check, now, headers[over.block_number])
        ]
        found += self._blocks(now, reading)
        found += self._met(now, reading)
        found.sort(key=_order)
        return headers, found

    def _all_headers(self, reading: Reading, numbers: set[int]) -> dict[int, Header]:
        missing = numbers - reading.headers.keys()
        headers = {**reading.headers, **self._view.headers(missing)}
        if not numbers <= headers.keys():
            raise RpcError("the chain's node has not got the block any more", may_retry=True)
        require_own_block(reading.logs, headers)
        return headers

    def _concerns(self, check: Check, now: Moment, header: Header) -> bool:
        """Whether the check was there already when the block came.

        A chain whose clock is slow is no reason to pass a block over: then it counts how much older
        than the newest block it is.
        """
        if check.since_ms <= now.seen_ms - self._rules.lag_ms:
            return True
        by_head = now.ms - (now.head.timestamp - header.timestamp) * 1000
        return max(header.timestamp * 1000, by_head) + self._rules.grace_ms >= check.since_ms

    def _due(
        self, intervals: Intervals, now: Moment, reading: Reading
    ) -> Iterator[tuple[Check, Header]]:
        for due in intervals.due(reading.first, reading.last, now.target):
            header = reading.headers[due.number]
            if due.check.in_force(now.ms) and self._concerns(due.check, now, header):
                yield due.check, header

    def _blocks(self, now: Moment, reading: Reading) -> Iterator[Finding]:
        for check, header in self._due(self.intervals, now, reading):
            where = Occurrence(self._chain_id, header.number, header.hash)
            yield _finding(Kind.BLOCK, check, where, block_data(header))

    def _met(self, now: Moment, reading: Reading) -> Iterator[Finding]:
        """States that were asked for and are as they were wanted."""
        due = self._due(self._questions, now, reading)
        asked = ((check, header) for check, header in due if isinstance(check, EventCheck))
        for check, header, output, met in self._states.asked(asked):
            if met:
                where = Occurrence(self._chain_id, header.number, header.hash)
                yield _finding(Kind.EVENT, check, where, output)

    def _event(self, hit: Hit, output: Mapping[str, JsonValue]) -> Finding:
        log = hit.log
        where = Occurrence(
            self._chain_id, log.block_number, log.block_hash, log.transaction_hash, log.log_index
        )
        return _finding(Kind.EVENT, hit.check, where, output)

    def _overload(self, over: Overload) -> Finding:
        where = Occurrence(self._chain_id, over.block_number, over.block_hash)
        output: dict[str, JsonValue] = {
            "blockNumber": over.block_number,
            "detected": over.detected,
            "limit": over.limit,
            "queryIndex": over.query_index,
        }
        return _finding(Kind.OVERLOAD, over.check, where, output)


def _finding(
    kind: Kind, check: Check, where: Occurrence, output: Mapping[str, JsonValue]
) -> Finding:
    return Finding(kind, check.id, check.owner, check.version, where, output)


def _block(hit: Hit) -> int:
    return hit.log.block_number


def _order(finding: Finding) -> tuple[int, int]:
    index = finding.occurrence.log_index
    return finding.occurrence.block_number, -1 if index is None else index
