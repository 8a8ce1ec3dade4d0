"""Which logs fire which checks: an index over many checks, asked once per log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.operator.abi_shelf import AbiShelf, read_event
from task_engine.operator.checks import FORMATTING, EventCheck, EventQuery
from task_engine.operator.conditions import Scale, Seen, holds
from task_engine.operator.logs import Log

MAX_EVENTS_PER_BLOCK = 1000
ALL_QUERIES = -1
_ANY = "*"
_UNSCALED = Scale()
Decimals = Callable[[str], int | None]


@dataclass(frozen=True, slots=True)
class Hit:
    """A log that fires a check, by the first of its queries that takes it; `abi` is that query's,
    None without one that can be read."""

    check: EventCheck
    query_index: int
    log: Log
    abi: ContractAbi | None

    @property
    def query(self) -> EventQuery:
        """The query that took it."""
        return self.check.queries[self.query_index]


@dataclass(frozen=True, slots=True)
class Overload:
    """More logs of one block than a check may take: of one query, or ALL_QUERIES together."""

    check: EventCheck
    query_index: int
    block_number: int
    block_hash: str
    detected: int
    limit: int


@dataclass(frozen=True, slots=True)
class Matched:
    """What came of some logs, in their order. A check has no hits in a block that overloads it."""

    hits: tuple[Hit, ...]
    overloads: tuple[Overload, ...]


@dataclass(eq=False, slots=True)
class _Entry:
    """One query of one check, by their places."""

    check: int
    place: int
    query: EventQuery
    abi: ContractAbi | None = None
    abi_known: bool = False


_Bucket = dict[tuple[str | None, str | None], list[_Entry]]


@dataclass(slots=True)
class _Counts:
    """Logs per block (by its hash): of each query, and of each check."""

    numbers: dict[str, int] = field(default_factory=dict)
    of_query: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    of_check: Counter[tuple[str, int]] = field(default_factory=Counter)


class Matcher:
    """The index of a set of checks; made anew when they change.

    `decimals` gives a token's decimals by its contract (None: not a token), for conditions on
    formatted values; without it base units are compared. Only logs whose topics fit a query with
    conditions are decoded, each once per distinct ABI.
    """

    def __init__(
        self,
        checks: Iterable[EventCheck],
        *,
        decimals: Decimals | None = None,
        max_events_per_block: int = MAX_EVENTS_PER_BLOCK,
    ) -> None:
        self._checks = tuple(checks)
        self._decimals = decimals
        self._max = max_events_per_block
        self._shelf = AbiShelf()
        self._index: dict[tuple[str, str], _Bucket] = {}
        for number, check in enumerate(self._checks):
            for place, query in enumerate(check.queries):
                if not query.asks_state:
                    self._add(_Entry(number, place, query))

    def match(self, logs: Sequence[Log], now_ms: int) -> Matched:
        """Every (check, log) that fires, once whichever queries take it.

        A check whose time has not come or is over takes nothing. A check with a cooldown takes the
        first log of a block alone, since no other one of that block could run it: so all operators
        report the same one.
        """
        counts = _Counts()
        found: list[tuple[_Entry, Log]] = []
        for log in logs:
            found.extend(self._of_log(log, now_ms, counts))
        overloads = self._overloads(counts)
        over = {(o.check.id, o.block_hash) for o in overloads}
        cooling: set[tuple[int, str]] = set()
        hits = []
        for entry, log in found:
            check = self._checks[entry.check]
            key = (entry.check, log.block_hash)
            if key in cooling or (check.id, log.block_hash) in over:
                continue
            if check.cooldown_seconds > 0:
                cooling.add(key)
            hits.append(Hit(check, entry.place, log, self._abi(entry)))
        return Matched(tuple(hits), overloads)

    def _add(self, entry: _Entry) -> None:
        topics = (*entry.query.topics, None, None, None)
        for address in entry.query.addresses or (_ANY,):
            bucket = self._index.setdefault((address, topics[0] or _ANY), {})
            bucket.setdefault((topics[1], topics[2]), []).append(entry)

    def _candidates(self, log: Log) -> Iterator[_Entry]:
        first, second, third = (*log.topics[:3], None, None, None)[:3]
        pairs = {(second, third), (second, None), (None, third), (None, None)}
        for address in (log.address, _ANY):
            for topic in {first or _ANY, _ANY}:
                bucket = self._index.get((address, topic))
                if bucket is None:
                    continue
                for pair in pairs:
                    yield from bucket.get(pair, ())

    def _of_log(self, log: Log, now_ms: int, counts: _Counts) -> Iterator[tuple[_Entry, Log]]:
        """The checks that take the log, in their order, by the first query that does."""
        read: dict[int, Seen | None] = {}
        taken: dict[int, _Entry] = {}
        for entry in self._candidates(log):
            check = self._checks[entry.check]
            if not entry.query.takes(log.address, log.topics) or not check.in_force(now_ms):
                continue
            if entry.query.conditions and not self._meets(entry, log, read):
                continue
            counts.numbers[log.block_hash] = log.block_number
            counts.of_query[(log.block_hash, entry.check, entry.place)] += 1
            before = taken.get(entry.check)
            if before is None or entry.place < before.place:
                taken[entry.check] = entry
        for number in sorted(taken):
            counts.of_check[(log.block_hash, number)] += 1
            yield taken[number], log

    def _abi(self, entry: _Entry) -> ContractAbi | None:
        if not entry.abi_known:
            entry.abi, entry.abi_known = self._shelf.of(entry.query.contract_abi), True
        return entry.abi

    def _meets(self, entry: _Entry, log: Log, read: dict[int, Seen | None]) -> bool:
        """Whether all conditions are met; `read` keeps what each ABI makes of the log."""
        abi = self._abi(entry)
        if id(abi) not in read:
            read[id(abi)] = read_event(abi, log)
        seen, scale = read[id(abi)], self._scale(entry.query, log)
        return all(holds(condition, seen, scale) for condition in entry.query.conditions)

    def _scale(self, query: EventQuery, log: Log) -> Scale:
        if self._decimals is None or not any(c.type == "decimal" for c in query.conditions):
            return _UNSCALED
        fields = scaled_fields(query)
        decimals = self._decimals(log.address) if fields else None
        return _UNSCALED if decimals is None else Scale(decimals, fields)

    def _overloads(self, counts: _Counts) -> tuple[Overload, ...]:
        """One per check and block: of its first query that is over, else of all together."""
        found: dict[tuple[str, int], tuple[int, int, int]] = {}
        for (block, number, place), count in sorted(counts.of_query.items()):
            limit = self._checks[number].queries[place].max_events_per_block
            if count > limit:
                found.setdefault((block, number), (place, count, limit))
        for key, count in counts.of_check.items():
            if count > self._max:
                found.setdefault(key, (ALL_QUERIES, count, self._max))
        return tuple(
            Overload(self._checks[number], place, counts.numbers[block], block, count, limit)
            for (block, number), (place, count, limit) in found.items()
        )


def scaled_fields(query: EventQuery) -> frozenset[str]:
    """The fields that a `decimals` call formats, as `Event.field`."""
    targets = (t.strip() for c in query.method_calls if c.name == FORMATTING for t in c.fields)
    return frozenset(target if "." in target else f"{target}.{target}" for target in targets)
