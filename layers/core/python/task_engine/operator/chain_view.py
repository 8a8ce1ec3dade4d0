"""A chain as its nodes tell it: headers, and the logs of a range that is one and the same chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.model.json_value import JsonValue
from task_engine.operator.log_query import too_large
from task_engine.operator.logs import Header, Log, logs_of_receipts, read_header, read_logs

_Call = tuple[str, list[JsonValue]]
_TIP = 3
"""So many of the newest blocks are asked for by their hash."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Blocks `first` to `last`, the headers at `numbers`, and the logs of a filter (None: none)."""

    first: int
    last: int
    numbers: frozenset[int]
    log_filter: Mapping[str, JsonValue] | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of blocks `first` to `last`, which may be fewer than were wanted; the headers
    of both ends are there. All of it is of one chain, as far as any header can tell."""

    first: int
    last: int
    headers: dict[int, Header]
    logs: tuple[Log, ...]


class ChainView:
    """Reads of one chain; learns how many blocks its nodes answer at once."""

    def __init__(self, rpc: RpcPort, max_span: int) -> None:
        self._rpc = rpc
        self._max_span = max_span
        self.span = max_span

    def head(self, also: int | None = None) -> tuple[Header, Header | None]:
        """The newest block, and block number `also` where it exists; one round trip."""
        calls: list[_Call] = [("eth_getBlockByNumber", ["latest", False])]
        if also is not None:
            calls.append(_header_call(also))
        answers = self._batch(calls)
        newest = read_header(answers[0])
        if newest is None:
            raise _behind()
        return newest, read_header(answers[1]) if also is not None else None

    def headers(self, numbers: Iterable[int]) -> dict[int, Header]:
        """Those of the blocks that exist; one round trip, none for no numbers."""
        listed = sorted(set(numbers))
        if not listed:
            return {}
        found = map(read_header, self._batch([_header_call(number) for number in listed]))
        return {header.number: header for header in found if header is not None}

    def read(self, wanted: Wanted, known: Mapping[int, Header]) -> Reading:
        """What is wanted, of as many blocks from `first` on as the nodes answer at once.

        The newest blocks, up to the last whose header is `known`, are asked for by their hashes: a
        node that has not got one then says so, or has left it, while of a range it tells what it
        has, and behind one URL there may be many. Raises RpcError, with may_retry when the chain
        changed under the reading.
        """
        last = min(wanted.last, wanted.first + self.span - 1)
        settled = max(known, default=last + _TIP) - _TIP
        if wanted.first > settled or (wanted.first == last and last in known):
            return self._read_tip(wanted, last, known)
        last = min(last, settled)
        while True:
            try:
                reading = self._read_range(wanted, last, known)
            except RpcError as error:
                if last == wanted.first or not too_large(error):
                    raise
                self.span = max(1, (last - wanted.first + 1) // 2)
                last = wanted.first + self.span - 1
                continue
            self.span = min(self._max_span, self.span + 1 + self.span // 8)
            return reading

    def _read_tip(self, wanted: Wanted, last: int, known: Mapping[int, Header]) -> Reading:
        """Headers in one round trip, unless all are known; then the logs of each in another."""
        numbers = range(wanted.first, last + 1)
        headers = {n: known[n] for n in numbers if n in known}
        headers |= self.headers(n for n in numbers if n not in headers)
        if len(headers) < len(numbers):
            raise _behind()
        logs = self._logs_of_blocks(wanted.log_filter, [headers[n] for n in numbers])
        reading = Reading(wanted.first, last, headers, tuple(logs))
        _require_one_chain(reading, known)
        return reading

    def _read_range(self, wanted: Wanted, last: int, known: Mapping[int, Header]) -> Reading:
        """In one round trip, the headers first: a node that has the last block has its logs.

        Logs of another fork than the headers' show at the next pass, which then steps back.
        """
        first, single = wanted.first, last == wanted.first
        ends = {first, last, *_steps_down(first, last)}
        numbers = sorted(ends | {n for n in wanted.numbers if first <= n <= last})
        calls = [_header_call(number) for number in numbers]
        if wanted.log_filter is not None and not single:
            span: dict[str, JsonValue] = {"fromBlock": hex(first), "toBlock": hex(last)}
            calls.append(("eth_getLogs", [{**wanted.log_filter, **span}]))
        answers = self._batch(calls)
        headers = {n: read_header(a) for n, a in zip(numbers, answers, strict=False)}
        found = {n: header for n, header in headers.items() if header is not None}
        if len(found) < len(numbers):
            raise _behind()
        if single:
            logs = self._logs_of_blocks(wanted.log_filter, [found[first]])
        elif wanted.log_filter is None:
            logs = []
        else:
            logs = read_logs(answers[-1])
        reading = Reading(first, last, found, tuple(logs))
        _require_one_chain(reading, known)
        return reading

    def _logs_of_blocks(
        self, log_filter: Mapping[str, JsonValue] | None, headers: Sequence[Header]
    ) -> list[Log]:
        if log_filter is None:
            return []
        calls: list[_Call] = [
            ("eth_getLogs", [{**log_filter, "blockHash": header.hash}]) for header in headers
        ]
        logs: list[Log] = []
        for header, answer in zip(headers, self._rpc.batch(calls), strict=True):
            if not isinstance(answer, RpcError):
                logs += read_logs(answer)
            elif too_large(answer):
                # Receipts are the block's own, however many logs they hold.
                logs += logs_of_receipts(self._rpc.call("eth_getBlockReceipts", header.hash))
            else:
                raise answer
        return logs

    def _batch(self, calls: Sequence[_Call]) -> list[JsonValue]:
        answers: list[JsonValue] = []
        for answer in self._rpc.batch(calls):
            if isinstance(answer, RpcError):
                raise answer
            answers.append(answer)
        return answers


def require_own_block(logs: Iterable[Log], headers: Mapping[int, Header]) -> None:
    """Raises RpcError unless each log is of the block whose header is known under its number."""
    for log in logs:
        header = headers.get(log.block_number)
        if header is not None and header.hash != log.block_hash:
            raise _moved()


def _require_one_chain(reading: Reading, known: Mapping[int, Header]) -> None:
    for number, header in reading.headers.items():
        if number in known and known[number].hash != header.hash:
            raise _moved()
        before = reading.headers.get(number - 1)
        if before is not None and header.parent_hash != before.hash:
            raise _moved()
    require_own_block(reading.logs, reading.headers)


def _steps_down(first: int, last: int) -> list[int]:
    """A few blocks below the last, ever further apart: where a reorg will be looked for."""
    return [last - step for step in (1, 2, 4, 8, 16, 32, 64) if last - step > first]


def _header_call(number: int) -> _Call:
    return ("eth_getBlockByNumber", [hex(number), False])


def _behind() -> RpcError:
    return RpcError("the chain's node has not got the block yet", may_retry=True)


def _moved() -> RpcError:
    return RpcError("the chain changed while it was read", may_retry=True)
