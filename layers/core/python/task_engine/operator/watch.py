"""A chain watched pass by pass: no block is passed over without saying so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from task_engine.clock import Clock
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.operator.chain_view import ChainView, Reading, Wanted
from task_engine.operator.check_set import CheckSet
from task_engine.operator.cursor import Cursor, CursorStore, Fired, SeenBlock
from task_engine.operator.finder import Finder, Moment
from task_engine.operator.findings import Finding, Kind
from task_engine.operator.logs import Header
from task_engine.operator.placing import Place, place_of
from task_engine.operator.reorg import SteppedBack, remembered, step_back
from task_engine.operator.rules import WatchRules
from task_engine.operator.token_names import TokenNames, TokenPort

_REORGS_PER_PASS = 3


class Notifier(Protocol):
    """Brings findings to the engine."""

    def send(self, findings: Sequence[Finding]) -> None:
        """Returns once every one of them is safely there; raises EngineError otherwise, after
        which all may be sent again."""


@dataclass(frozen=True, slots=True)
class WatchPorts:
    """What watching a chain needs of the world."""

    rpc: RpcPort
    cursors: CursorStore
    notifier: Notifier
    tokens: TokenPort


@dataclass(frozen=True, slots=True)
class Look:
    """What one pass came to.

    Blocks `first` to `last` were watched, none when `last` < `first`; `behind` are left to watch.
    `skipped` are ranges that nobody will look at any more: the watcher was away for too long.
    `firings_left_out` is how many multiples of intervals were not made up for. `reorg_depth` blocks
    were watched again, `reorg_unbounded` when the reorg may have been deeper. `lost` says that
    another watcher has moved the cursor meanwhile: what this one has sent, both have.
    """

    chain_id: int
    head: int = 0
    first: int = 0
    last: int = -1
    behind: int = 0
    logs: int = 0
    sent: Mapping[Kind, int] = field(default_factory=dict)
    skipped: tuple[tuple[int, int], ...] = ()
    firings_left_out: int = 0
    reorg_depth: int = 0
    reorg_unbounded: bool = False
    lost: bool = False


class Watcher:
    """Watches one chain for the checks of a set.

    One pass is `look`. Findings are sent before the cursor moves, so a pass that is cut off
    anywhere is made again and sends the same occurrences again; their names tell. Not for several
    threads; several processes may watch the same chain, to the same effect.
    """

    def __init__(
        self, ports: WatchPorts, checks: CheckSet, rules: WatchRules, clock: Clock
    ) -> None:
        self._ports = ports
        self._checks = checks
        self._rules = rules
        self._clock = clock
        self._chain_id = ports.rpc.chain_id
        self._view = ChainView(ports.rpc, rules.max_span)
        names = TokenNames(ports.tokens, self._chain_id)
        self._finder = Finder(ports.rpc, self._view, names, rules)
        self._cursor: Cursor | None = None

    def look(self) -> Look:
        """Watch the next blocks, `max_span` at most; without checks nothing is asked or written.

        Raises RpcError when the node can't be asked or the chain changes under the reading, and
        what the ports raise; the next pass then starts where this one did.
        """
        if not self._checks.checks:
            return Look(self._chain_id)
        self._finder.index(self._checks)
        now = self._now()
        if now.target < 0:
            return Look(self._chain_id, head=now.head.number)
        since = self._finder.since_ms
        place = place_of(self._view, now.stored, now.target, since, now.ms, self._rules)
        back = self._back_at_the_tip(now, place)
        if back is not None:
            place = Place(back.cursor.block + 1, back.cursor)
        if place.first > now.target:
            return self._nothing_new(now, place)
        return self._watch(now, place, back)

    def _now(self) -> Moment:
        stored = self._cursor or self._ports.cursors.get(self._chain_id)
        # The next block's header in the same round trip: its hash is what logs are asked by.
        ahead = self._rules.confirmations > 0 and stored is not None
        head, following = self._view.head(stored.block + 1 if ahead and stored else None)
        target = head.number - self._rules.confirmations
        known = {header.number: header for header in (head, following) if header is not None}
        self._cursor = stored
        return Moment(self._clock.now_ms(), head, target, stored, known)

    def _back_at_the_tip(self, now: Moment, place: Place) -> SteppedBack | None:
        """Stepped back where the newest block that was watched before is another one now: of a
        chain that was exchanged and is not longer yet. A node that lags has the same one."""
        cursor = place.cursor
        if cursor is None or cursor.block < now.target:
            return None
        hashes = {seen.number: seen.hash for seen in cursor.recent if seen.number <= now.target}
        newest = max(hashes, default=-1)
        header = now.known.get(newest)
        if header is None and cursor.block > now.target:
            header = self._view.headers({newest} & hashes.keys()).get(newest)
        if header is None or hashes[newest] == header.hash:
            return None
        return step_back(self._view, cursor)

    def _nothing_new(self, now: Moment, place: Place) -> Look:
        stored = now.stored
        if place.cursor is not None and stored is not None:
            if stored.block <= now.target:
                self._cursor = replace(stored, seen_ms=now.ms)
            return Look(self._chain_id, head=now.head.number)
        # No check asks for any block that is there: the watch begins with the next one.
        header = now.known.get(now.target) or self._view.headers([now.target]).get(now.target)
        lost = False
        if header is not None:
            seen = SeenBlock(header.number, header.hash)
            lost = not self._advance(now, seen, (seen,), origin=header.number + 1)
        return Look(self._chain_id, head=now.head.number, skipped=place.skipped, lost=lost)

    def _watch(self, now: Moment, place: Place, back: SteppedBack | None) -> Look:
        reading, place, steps = self._read(now, place, [] if back is None else [back])
        findings = [finding for step in steps for finding in step.orphaned]
        headers, found = self._finder.find(now, reading)
        findings += found
        if findings:
            self._ports.notifier.send(findings)
        fresh = _seen_blocks(headers, found, reading)
        recent = remembered(place.cursor, fresh, self._rules.max_remembered)
        origin = reading.first if place.cursor is None else place.cursor.origin
        kept = self._advance(now, fresh[-1], recent, origin)
        left_out = self._finder.intervals.left_out(reading.first, reading.last, now.target)
        return Look(
            chain_id=self._chain_id,
            head=now.head.number,
            first=reading.first,
            last=reading.last,
            behind=now.target - reading.last,
            logs=len(reading.logs),
            sent=Counter(finding.kind for finding in findings),
            skipped=place.skipped,
            firings_left_out=left_out,
            reorg_depth=sum(step.depth for step in steps),
            reorg_unbounded=any(step.unknown for step in steps),
            lost=not kept,
        )

    def _read(
        self, now: Moment, place: Place, steps: list[SteppedBack]
    ) -> tuple[Reading, Place, list[SteppedBack]]:
        """The next blocks, on top of what the cursor knows; stepped back until they are."""
        for _ in range(_REORGS_PER_PASS):
            last = min(now.target, place.first + self._rules.max_span - 1)
            due = self._finder.numbers(place.first, last, now.target)
            wanted = Wanted(place.first, last, due, self._finder.log_filter)
            reading = self._view.read(wanted, now.known)
            cursor = place.cursor
            parent = reading.headers[reading.first].parent_hash
            if cursor is None or not cursor.hash or cursor.hash == parent:
                return reading, place, steps
            step = step_back(self._view, cursor)
            steps = [*steps, step]
            place = Place(step.cursor.block + 1, step.cursor, place.skipped)
        raise RpcError("the chain changes faster than it can be read", may_retry=True)

    def _advance(
        self, now: Moment, last: SeenBlock, recent: tuple[SeenBlock, ...], origin: int
    ) -> bool:
        """Write how far the watch has come; False when somebody else has moved it meanwhile."""
        revision = now.stored.revision if now.stored is not None else 0
        cursor = Cursor(
            chain_id=self._chain_id,
            block=last.number,
            hash=last.hash,
            origin=origin,
            seen_ms=now.ms if last.number >= now.target else now.seen_ms,
            recent=recent,
            revision=revision + 1,
            slow_ms=_slow_ms(now, self._rules),
        )
        kept = self._ports.cursors.put(cursor, revision)
        self._cursor = cursor if kept else None
        return kept


def _slow_ms(now: Moment, rules: WatchRules) -> int:
    """How far the chain's clock is behind ours, at least: a newest block that was not there yet at
    the last look tells an earlier time. A later one shows when it is no longer."""
    stored = now.stored
    if stored is None:
        return 0
    told, least = now.head.timestamp * 1000, stored.slow_ms
    if now.head.number > stored.block + rules.confirmations:
        least = max(least, stored.seen_ms - told)
    return max(0, min(least, now.ms - told))


def _seen_blocks(
    headers: Mapping[int, Header], found: Sequence[Finding], reading: Reading
) -> list[SeenBlock]:
    """The blocks read whose hash is known, with what was found in them."""
    fired: dict[int, list[Fired]] = {}
    for finding in found:
        if finding.kind in (Kind.BLOCK, Kind.EVENT):
            where = finding.occurrence
            fired.setdefault(where.block_number, []).append(
                Fired(
                    finding.check_id,
                    finding.owner,
                    finding.version,
                    where.transaction_hash,
                    where.log_index,
                )
            )
    return [
        SeenBlock(number, headers[number].hash, tuple(fired.get(number, ())))
        for number in sorted(headers)
        if reading.first <= number <= reading.last
    ]
